"""The probe, run on the device or here on every bundle, also where one of them crashes it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.cost.timing import ROOT
from benchmarks.device.emulator import Device, Emulator, lines_of
from benchmarks.device.probe import BLOCKS
from edge_runtime.console.output import with_progress
from edge_runtime.errors import UsageError

PROBE = Path(__file__).with_name("probe.py")

# One thread and no chance, so that counts repeat.
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "PYTHONNOUSERSITE": "1",
               "LANG": "C.UTF-8"}

Start = Callable[[Path, Path], Iterator[str]]  # a job and a file for marks in, printed lines out


@dataclass
class Probed:
    """about: the interpreter and the versions. found: what the probe printed, by bundle. errors:
    why there is nothing, by bundle. counts: instructions of an inference, by bundle and network,
    from each pair of blocks."""

    about: dict[str, str] = field(default_factory=dict)
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    counts: dict[str, dict[str, list[float]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """examples: files of a face and a clip each."""

    examples: Sequence[tuple[str, str]]
    work: Path

    def run(self, start: Start, bundles: Sequence[str], doing: str, *, own_moves: bool) -> Probed:
        """UsageError where not even the imports end well. A bundle that crashes the process is
        left out and the others are tried in a new one."""
        probed, left = Probed(), list(bundles)
        job, marks = self.work / "job.json", self.work / "marks"
        while left:
            job.write_text(json.dumps({"bundles": left, "examples": list(self.examples),
                                       "own_moves": own_moves}), encoding="utf-8")
            marks.unlink(missing_ok=True)
            done: list[str] = []
            lines = start(job, marks)
            probed.about = json.loads(next(lines))
            try:
                for bundle, line in zip(with_progress(left, doing), lines, strict=False):
                    probed.found[bundle] = json.loads(line)
                    done.append(bundle)
                next(lines, None)  # it ends; a crash now would take nothing away
            except UsageError as error:
                if len(done) < len(left):
                    probed.errors[left[len(done)]] = str(error)
            if marks.is_file():
                probed.counts |= _counts(probed, done, marks)
            left = left[len(done) + 1 :]
        for bundle in [name for name, found in probed.found.items() if "error" in found]:
            probed.errors[bundle] = probed.found.pop(bundle)["error"]
        return probed


def here(packages: Path | None) -> Start:
    """On this machine: with the packages of this environment, or with those of a folder alone."""
    alone = [] if packages is None else ["-S"]
    path = [ROOT] if packages is None else [packages, ROOT]

    def start(job: Path, marks: Path) -> Iterator[str]:
        del marks
        return lines_of(
            [sys.executable, "-P", *alone, str(PROBE), str(job)],
            {**os.environ, **ENVIRONMENT, "PYTHONPATH": os.pathsep.join(map(str, path))})

    return start


def on_device(emulator: Emulator, device: Device, root: Path, packages: Sequence[Path]) -> Start:
    """On an emulated device; packages: its PYTHONPATH."""
    def start(job: Path, marks: Path) -> Iterator[str]:
        return lines_of(
            emulator.command(device, root, marks, ["-P", PROBE, job]),
            {**ENVIRONMENT, "PYTHONPATH": ":".join(map(str, packages)), "HOME": str(job.parent)})

    return start


def _counts(probed: Probed, done: Sequence[str], marks: Path) -> dict[str, dict[str, list[float]]]:
    """The marks of the bundles in order, of each network `len(BLOCKS) + 1`."""
    values = iter([int(line) for line in marks.read_text().split()])
    counts: dict[str, dict[str, list[float]]] = {}
    for bundle in [name for name in done if "error" not in probed.found[name]]:
        counts[bundle] = {}
        for part in probed.found[bundle]["own_moves"]:
            totals = [next(values) for _ in range(len(BLOCKS) + 1)]
            costs = [after - before for before, after in pairwise(totals)]
            counts[bundle][part] = [
                (costs[k + 1] - costs[k]) / (BLOCKS[k + 1] - BLOCKS[k])
                for k in range(0, len(BLOCKS), 2)]
    return counts
