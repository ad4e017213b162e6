"""Both backends train, and the same; JAX resumes, and shares batches between devices."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest

from tests.shallow import shallow_families
from tests.train.training.tiny_training import NAMES, TINY, step
from train.data import read_data
from train.models import registry
from train.models.build import build_network, make_spec
from train.runs.folder import load_run
from train.scoring.evaluate import evaluate, summary
from train.training.progress import THROUGHPUT_COLUMNS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
CHILD = Path(__file__).parent / "tiny_training.py"
STEPS = {"tiny": "adamw", "mobilevit_xxs_edge": "sgd"}  # family: optimizer
# LLVM's optimisation takes most of the time, for trainings of a second.
XLA_FLAGS = "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0"
Row = dict[str, float]


def on_jax(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT),
                                "XLA_FLAGS": XLA_FLAGS}
    return subprocess.run([sys.executable, CHILD, *map(str, arguments)], cwd=ROOT, check=False,
                          env=environment, capture_output=True, text=True, timeout=600)


def options(people: Path, out: Path) -> list[object]:
    return ["fit", "--data", people, "--model", "tiny", "--image-size", 64, "--epochs", 2,
            "--batch-size", 4, "--out", out]


def history(run: Path, part: str) -> list[Row]:
    """What has to be the same wherever and however often a training runs."""
    with (run / f"{part}.history.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items()
                 if name not in THROUGHPUT_COLUMNS}
                for row in csv.DictReader(file)]


def assert_same(found: list[Row], expected: list[Row], within: float) -> None:
    for row, other in zip(found, expected, strict=True):
        assert row == pytest.approx(other, rel=0, abs=within)


@dataclass(frozen=True)
class OnJax:
    """Three trainings, and a step of each family from the weights in FAMILY.npz; only to be read.

    The process that `stopped` went on in begins with it: it cannot know how a whole one goes.
    """

    folder: Path
    stopped_output: str
    whole_output: str

    @property
    def stopped(self) -> Path:
        """A run that was killed after an epoch, and went on."""
        return self.folder / "stopped"

    @property
    def whole(self) -> Path:
        return self.folder / "whole"

    @property
    def on_two(self) -> Path:
        """A run on two devices."""
        return self.folder / "on_two"


@pytest.fixture(scope="module")
def jax(small_people: Path, tmp_path_factory: pytest.TempPathFactory) -> OnJax:
    folder = tmp_path_factory.mktemp("jax")
    for family in STEPS:
        write_start(family, folder / f"{family}.npz")
    stopped, whole, on_two = (options(small_people, folder / name)
                              for name in ("stopped", "whole", "on_two"))
    killed = on_jax("killed", *stopped)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    steps = [word for family, optimizer in STEPS.items()
             for word in ("and", "step", family, folder / f"{family}.npz", optimizer)]
    done = on_jax(*stopped, "--resume", "and", *whole, "and", *on_two, "--devices", 2, *steps)
    assert done.returncode == 0, done.stderr
    said = done.stdout.split("\nand\n")
    return OnJax(folder, said[0], said[1])


def test_jax_trains_and_tensorflow_evaluates(
    jax: OnJax, small_people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.loads((jax.whole / "run.json").read_text())
    assert content["versions"]["backend"] == "jax" and "jax" in content["versions"]
    assert jax.whole_output.count(" examples/s, the device waited ") == 2
    for part in ("face", "voice"):
        assert [row["epoch"] for row in history(jax.whole, part)] == [1, 2]
    monkeypatch.setitem(registry.FAMILIES, "tiny", TINY)
    collection = read_data(small_people, 64, seed=0)
    found = summary(evaluate(load_run(jax.whole), collection), "test")
    by_jax = json.loads((jax.whole / "accuracy.json").read_text())["test"]
    assert found["accuracy"] == by_jax["accuracy"] and found["pairs"] == by_jax["pairs"] == 8


def test_a_training_on_jax_goes_on_as_if_never_stopped(jax: OnJax) -> None:
    assert "face    2/2: accuracy" in jax.stopped_output
    assert "face    1/2" not in jax.stopped_output
    for part in ("face", "voice"):
        assert_same(history(jax.stopped, part), history(jax.whole, part), within=1e-5)


def test_two_devices_train_as_one(jax: OnJax) -> None:
    """Eight validation faces divide by two devices, 24 examples by batches of four."""
    for part in ("face", "voice"):
        assert_same(history(jax.on_two, part), history(jax.whole, part), within=1e-3)


@pytest.mark.parametrize(("family", "optimizer"), STEPS.items())
def test_one_step_is_the_same_on_both_backends(
    family: str, optimizer: str, jax: OnJax, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the same weights on the same batch, without dropout: each backend draws its own."""
    file = jax.folder / f"{family}.npz"
    monkeypatch.setitem(registry.FAMILIES, "tiny", TINY)
    step(family, file, optimizer)
    one, other = (arrays_in(file.with_suffix(f".{backend}.npz"))
                  for backend in ("tensorflow", "jax"))
    for name, values in one.items():
        np.testing.assert_allclose(values, other[name], rtol=0, atol=1e-4, err_msg=name)
    changes = [np.abs(one[name] - values).max() for name, values in arrays_in(file).items()
               if name.startswith("weight")]
    # Not all: what is added to every key, for one, does not change what softmax makes of it.
    assert max(changes) > 1e-2 * (optimizer == "sgd") and np.median(changes) > 5e-4


def arrays_in(file: Path) -> dict[str, npt.NDArray[Any]]:
    with np.load(file) as arrays:
        return {name: arrays[name] for name in arrays.files}


def write_start(family: str, file: Path) -> None:
    """A batch of four faces and drawn weights, by name."""
    keras.utils.set_random_seed(0)
    with pytest.MonkeyPatch.context() as patch, shallow_families():
        patch.setitem(registry.FAMILIES, "tiny", TINY)
        network = build_network(make_spec(family, NAMES, 64), "face")
    classifier = keras.Model(network.input, network.output["scores"])
    weights = {f"weight{i}": w for i, w in enumerate(classifier.get_weights())}
    faces = np.random.default_rng(0).uniform(0, 255, (4, 64, 64, 3)).astype(np.float32)
    np.savez(file, allow_pickle=False, batch=faces,
             labels=np.eye(len(NAMES), dtype=np.float32)[[0, 1, 2, 0]], **weights)
