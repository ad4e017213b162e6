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

from tests.train.tiny_training import NAMES, TINY
from train.evaluate import evaluate, summary
from train.models import registry
from train.models.build import build_network
from train.pack import read_data
from train.run import load_run
from train.spec import make_spec
from train.throughput import THROUGHPUT_COLUMNS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CHILD = Path(__file__).parent / "tiny_training.py"
Row = dict[str, float]


def child(backend: str, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)} | more
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
class Done:
    path: Path
    output: str


@pytest.fixture(scope="module")
def jax_run(small_people: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A whole training on JAX; only to be read."""
    path = tmp_path_factory.mktemp("jax") / "run"
    done = child("jax", *options(small_people, path))
    assert done.returncode == 0, done.stderr
    return Done(path, done.stdout)


def test_jax_trains_and_tensorflow_evaluates(
    jax_run: Done, small_people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.loads((jax_run.path / "run.json").read_text())
    assert content["versions"]["backend"] == "jax" and "jax" in content["versions"]
    assert jax_run.output.count(" examples/s, the device waited ") == 2
    for part in ("face", "voice"):
        assert [row["epoch"] for row in history(jax_run.path, part)] == [1, 2]
    monkeypatch.setitem(registry.FAMILIES, "tiny", TINY)
    collection = read_data(small_people, 64, seed=0)
    found = summary(evaluate(load_run(jax_run.path), collection), "test")
    by_jax = json.loads((jax_run.path / "accuracy.json").read_text())["test"]
    assert found["accuracy"] == by_jax["accuracy"] and found["pairs"] == by_jax["pairs"] == 8


def test_a_training_on_jax_goes_on_as_if_never_stopped(
    jax_run: Done, small_people: Path, tmp_path: Path
) -> None:
    arguments = options(small_people, tmp_path / "run")
    killed = child("jax", "killed", *arguments)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    done = child("jax", *arguments, "--resume")
    assert done.returncode == 0, done.stderr
    assert "face    2/2: accuracy" in done.stdout and "face    1/2" not in done.stdout
    for part in ("face", "voice"):
        assert_same(history(tmp_path / "run", part), history(jax_run.path, part), within=1e-5)


def test_two_devices_train_as_one(jax_run: Done, small_people: Path, tmp_path: Path) -> None:
    """Eight validation faces divide by two devices, 24 examples by batches of four."""
    done = child("jax", *options(small_people, tmp_path / "run"), "--devices", 2,
                 XLA_FLAGS="--xla_force_host_platform_device_count=2")
    assert done.returncode == 0, done.stderr
    for part in ("face", "voice"):
        assert_same(history(tmp_path / "run", part), history(jax_run.path, part), within=1e-3)


@pytest.mark.parametrize(("family", "optimizer"), [
    ("tiny", "adamw"), ("mobilevit_xxs_edge", "sgd")])
def test_one_step_is_the_same_on_both_backends(
    family: str, optimizer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the same weights on the same batch, without dropout: each backend draws its own."""
    file = tmp_path / "step.npz"
    before = write_start(family, file, monkeypatch)
    after = []
    for backend in ("tensorflow", "jax"):
        done = child(backend, "step", family, file, optimizer)
        assert done.returncode == 0, done.stderr
        with np.load(file.with_suffix(f".{backend}.npz")) as arrays:
            after.append({name: arrays[name] for name in arrays.files})
    one, other = after
    for name, values in one.items():
        np.testing.assert_allclose(values, other[name], rtol=0, atol=1e-4, err_msg=name)
    changes = [np.abs(one[name] - values).max() for name, values in before.items()]
    # Not all: what is added to every key, for one, does not change what softmax makes of it.
    assert max(changes) > 1e-2 * (optimizer == "sgd") and np.median(changes) > 5e-4


def write_start(
    family: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, npt.NDArray[Any]]:
    """A batch of four faces and drawn weights, by name."""
    monkeypatch.setitem(registry.FAMILIES, "tiny", TINY)
    keras.utils.set_random_seed(0)
    network = build_network(make_spec(family, NAMES, 64), "face")
    classifier = keras.Model(network.input, network.output["scores"])
    weights = {f"weight{i}": w for i, w in enumerate(classifier.get_weights())}
    faces = np.random.default_rng(0).uniform(0, 255, (4, 64, 64, 3)).astype(np.float32)
    np.savez(file, allow_pickle=False, batch=faces,
             labels=np.eye(len(NAMES), dtype=np.float32)[[0, 1, 2, 0]], **weights)
    return weights
