"""Bundles of networks that nothing was taught: no operation's time depends on what was learned."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.cost.timing import ROOT
from edge_runtime.errors import UsageError

UNTRAINED = ("float32", "mixed_wi8")
PEOPLE = 95
IMAGE_SIZE = 128  # what train takes unless told

Say = Callable[[str], None]


def untrained_bundles(
    folder: Path, say: Say = print, *, recipes: Sequence[str] = UNTRAINED,
    image_size: int = IMAGE_SIZE,
) -> list[Path]:
    """Bundles of an untrained pair for 95 people, made where they are not there yet, which takes
    the extra `train`."""
    bundles = [folder / recipe for recipe in recipes]
    if all((bundle / "manifest.json").is_file() for bundle in bundles):
        return bundles
    say("making untrained bundles")
    run = folder / "run"
    if not (run / "run.json").is_file():
        make_by("train", "init", "--people", PEOPLE, "--image-size", image_size, "--out", run)
    for bundle in bundles:
        if not (bundle / "manifest.json").is_file():
            make_by("convert", "bundle", run, "--untrained", "--recipe", bundle.name,
                    "--out", bundle)
    return bundles


def make_by(module: str, *arguments: object, python: Path | str = sys.executable) -> None:
    """Run `python -m module` in the clone. UsageError where it fails."""
    done = subprocess.run([str(python), "-m", module, *map(str, arguments)], cwd=ROOT,
                          capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UsageError(f"'python -m {module}' cannot make the networks here ({said}); install "
                         "the extra 'train', or make bundles elsewhere and name them")
