"""Both networks of a pair trained at the same time: the same training, told line by line."""

from __future__ import annotations

import csv
import functools
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_runtime.errors import RunError, UsageError
from edge_runtime.modalities import MODALITIES
from tests.train.training.tiny_training import TINY
from train.models.registry import FAMILIES
from train.runs.folder import load_run
from train.training.fit import continue_part
from train.training.jobs import THREADS, fit_at_once
from train.training.machine import Machine

Run = Callable[..., subprocess.CompletedProcess[str]]
CHILD = Path(__file__).parent / "tiny_training.py"


def history(run: Path, part: str) -> list[dict[str, float]]:
    with (run / f"{part}.history.csv").open() as file:
        return [{name: float(value) for name, value in row.items() if value}
                for row in csv.DictReader(file)]


@pytest.mark.slow
def test_networks_at_once_learn_what_they_learn_in_turn(
    run_python: Run, small_people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With as many threads, that is: other numbers of them round sums otherwise."""
    monkeypatch.setitem(FAMILIES, "tiny", TINY)
    for name in THREADS:
        monkeypatch.setenv(name, "1")
    command = [CHILD, "fit", "--data", small_people, "--model", "tiny", "--image-size", 64,
               "--epochs", 1]
    at_once = ["--jobs", 2, "--out", tmp_path / "run2"]
    done = run_python(*command, "--jobs", 1, "--out", tmp_path / "run1", "and",
                      *command[1:], *at_once, "and", *command[1:], *at_once, "--resume")
    assert done.returncode == 0, done.stderr
    _, said, resumed = done.stdout.split("\nand\n")
    for part in MODALITIES:
        assert f"{part:5}   1/1: accuracy " in said
        assert f"{part}: " in said and "examples/s" in said
        one, other = (history(tmp_path / f"run{jobs}", part)[0] for jobs in (1, 2))
        for column in ("loss", "accuracy", "val_loss", "val_accuracy"):
            assert other[column] == pytest.approx(one[column], rel=1e-6), column
    assert (tmp_path / "run2" / "curves.png").is_file()
    seconds = [float(history(tmp_path / "run2", part)[0]["seconds"]) for part in MODALITIES]
    assert load_run(tmp_path / "run2").run.wall_s == max(seconds)
    assert "1/1" not in resumed


def test_a_childs_mistake_is_raised_here(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected a run folder"):
        fit_at_once(tmp_path, MODALITIES, 2, fit_here=lambda part: [],
                    fit_there=functools.partial(continue_part, tmp_path, None, 1))


def test_cores_or_devices() -> None:
    with pytest.raises(UsageError, match="leave out one"):
        Machine(devices=2, jobs=2).check(16)
