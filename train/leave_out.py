"""People who are kept out of a training, to be enrolled later."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge_runtime.collection import Collection
from edge_runtime.errors import PeopleError, UsageError
from edge_runtime.files import read_text
from edge_runtime.names import clean


def choose_people(
    names: tuple[str, ...], choice: str, seed: int, rotation: int = 0
) -> tuple[str, ...]:
    """Who of `names` is left out: so many, drawn by the seed, or those in a file, one a line.

    rotation: 0 leaves out the first so many that are drawn, 1 the next; a fifth of the people in 5
    rotations leaves out everybody once. UsageError for a choice that is neither or names somebody
    unknown, and for a rotation for which nobody is left; PeopleError where fewer than two people
    would be left to train on.
    """
    if choice.isdecimal():
        chosen = _draw(names, int(choice), seed, rotation)
    elif rotation:
        raise UsageError("--rotation goes with a number of people to leave out, found a file")
    else:
        chosen = _read(names, Path(choice))
    if len(names) - len(chosen) < 2:
        raise PeopleError(f"--leave-out-people: expected at least 2 people to train on, found "
                          f"{len(names) - len(chosen)} of {len(names)}; leave out fewer")
    return chosen


def _draw(names: tuple[str, ...], count: int, seed: int, rotation: int) -> tuple[str, ...]:
    last = len(names) // max(count, 1) - 1
    if rotation and not 0 <= rotation <= last:
        raise UsageError(f"--rotation expects a number from 0 to {last}, for {count} of "
                         f"{len(names)} people, found {rotation}")
    drawn = np.random.default_rng([seed, 2]).permutation(names)
    return tuple(sorted(drawn[rotation * count : (rotation + 1) * count].tolist()))


def _read(names: tuple[str, ...], file: Path) -> tuple[str, ...]:
    if not file.exists():
        raise UsageError(f"--leave-out-people expects a number or a text file of names, one a "
                         f"line, found '{file}'")
    lines = read_text(file, "a list of names").split("\n")
    chosen = sorted({clean(line) for line in lines} - {""})
    if unknown := [name for name in chosen if name not in names]:
        raise UsageError(f"{file}: expected people of the data ({', '.join(names[:3])} ...), found "
                         f"{', '.join(unknown[:3])}; correct the names")
    return tuple(chosen)


def without_people(collection: Collection, left_out: Iterable[str]) -> Collection:
    """The collection without some of its people; the digest stays that of the whole folder."""
    gone = set(left_out)
    people = collection.people
    return replace(collection, people=people.without(s for s in people.samples if s.person in gone))
