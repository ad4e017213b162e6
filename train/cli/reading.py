"""People from a folder or a pack, with progress and one report of what is unusable."""

from __future__ import annotations

import functools
from pathlib import Path

from edge_runtime.collection import Collection
from edge_runtime.errors import PeopleError
from edge_runtime.output import say_problems, with_progress
from edge_runtime.passed_over import described, is_text, sorted_out


def read(data: Path, image_size: int, seed: int, strict: bool = False) -> Collection:
    from train.pack import read_data

    collection = read_data(data, image_size, seed,
                           progress=functools.partial(with_progress, doing="reading"))
    say_problems(collection.problems)
    if strict and collection.problems:
        raise PeopleError(f"{data}: --strict expects data without a problem, found "
                          f"{len(collection.problems)}; mend them, or leave out --strict")
    return collection


def say_noise(folder: Path | None) -> None:
    """What is no noise in a folder of it."""
    if folder is not None and folder.is_dir() and not (folder / "pack.json").is_file():
        _, passed = sorted_out(folder, folder, "voice")
        say_problems(described(one for one in passed if not is_text(folder / one.path)))
