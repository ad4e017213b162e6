"""People from a folder or a pack, with a progress bar and one report of what is unusable."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from edge_runtime.collection import Collection, problem_report
from edge_runtime.people import Sample


def read(data: Path, image_size: int, seed: int, strict: bool = False) -> Collection:
    from train.pack import read_data

    collection = read_data(data, image_size, seed, strict=strict, progress=progress)
    if collection.problems:
        print(problem_report(collection.problems), file=sys.stderr, flush=True)
    return collection


def progress(samples: Iterable[Sample], doing: str = "reading") -> Iterable[Sample]:
    try:
        from tqdm import tqdm
    except ImportError:
        return samples
    bar: Iterable[Sample] = tqdm(samples, desc=doing, unit="file", disable=None, leave=False)
    return bar
