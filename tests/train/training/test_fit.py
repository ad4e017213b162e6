"""A training leaves a run folder that says everything, and goes on where it was stopped."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.dataset.collection import Collection, read_collection
from edge_runtime.dataset.people import index_people
from edge_runtime.errors import PeopleError, RunError
from edge_runtime.modalities import MODALITIES
from tests.train.training.tiny_training import TINY
from train.data import read_data
from train.models.build import make_spec
from train.models.registry import FAMILIES
from train.runs.folder import RunFolder, Training, init, load_run
from train.training.examples import network_inputs
from train.training.fit import fit, is_synthetic
from train.training.progress import THROUGHPUT_COLUMNS

ROOT = Path(__file__).parents[3]
CHILD = Path(__file__).parent / "tiny_training.py"
Run = Callable[..., subprocess.CompletedProcess[str]]
FAMILY = "mobilevit_xxs_edge"


@pytest.fixture(scope="module")
def collection(small_people: Path) -> Collection:
    return read_data(small_people, 64, seed=0)


def history(run: Path, modality: str) -> list[dict[str, str]]:
    with (run / f"{modality}.history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_run_folder(small_run: RunFolder, small_people: Path) -> None:
    names = {path.name for path in small_run.path.iterdir()}
    assert names >= {"run.json", "split.csv", "curves.png", "checkpoint",
                     *(f"{m}.weights.h5" for m in MODALITIES),
                     *(f"{m}.history.csv" for m in MODALITIES)}
    assert not list(small_run.path.rglob("*.partial"))
    content = json.loads((small_run.path / "run.json").read_text())
    assert content["format"] == 1
    assert content["spec"]["family"] == FAMILY and content["spec"]["image_size"] == 64
    assert content["spec"]["people"] == [f"synthetic_00{i}" for i in range(1, 5)]
    assert content["data"]["root"] == str(small_people.resolve())
    assert content["data"]["synthetic"] is True and content["data"]["problems"] == []
    assert content["wall_s"] > 0
    assert set(content["versions"]) >= {"visavox", "python", "backend", "keras", "numpy"}
    assert load_run(small_run.path) == small_run


def test_the_recorded_split_is_the_one_used(small_run: RunFolder, small_people: Path) -> None:
    with (small_run.path / "split.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    people = index_people(small_people)
    assert [(r["path"], r["person"], r["modality"], r["split"]) for r in rows] == [
        (s.path, s.person, s.modality, s.split) for s in people.samples]
    assert {row["split"] for row in rows} == {"train", "validation", "test"}


def test_the_curves(small_run: RunFolder) -> None:
    from PIL import Image

    with Image.open(small_run.path / "curves.png") as picture:
        assert picture.format == "PNG" and min(picture.size) > 300
    for modality in MODALITIES:
        rows = history(small_run.path, modality)
        assert [row["epoch"] for row in rows] == ["1", "2"]
        assert set(rows[0]) >= {"epoch", "loss", "accuracy", "val_loss", "val_accuracy",
                                *THROUGHPUT_COLUMNS}
        assert all(np.isfinite(float(value)) for row in rows for value in row.values())


def test_the_best_weights_are_kept(small_run: RunFolder, collection: Collection) -> None:
    for modality in MODALITIES:
        network = small_run.load_network(modality)
        samples, inputs = network_inputs(collection, small_run.run.spec, modality, "validation")
        scores = network.predict(inputs, verbose=0)["scores"]
        labels = [small_run.run.spec.people.index(s.person) for s in samples]
        best = min(history(small_run.path, modality), key=lambda row: float(row["val_loss"]))
        assert float(np.mean(scores.argmax(axis=1) == labels)) == pytest.approx(
            float(best["val_accuracy"]), abs=1e-6)


def test_a_folder_with_a_run_is_refused(small_run: RunFolder, collection: Collection) -> None:
    run = small_run.run
    before = (small_run.path / "run.json").read_bytes()
    with pytest.raises(RunError, match="there is a run already; go on with --resume"):
        fit(collection, run.spec, run.training, small_run.path)
    assert (small_run.path / "run.json").read_bytes() == before


@pytest.mark.parametrize(("what", "change"), [
    ("training options", {"seed": 7}), ("training options", {"epochs": 9}),
    ("model", {"image_size": 128})])
def test_resuming_another_run_is_refused(
    small_run: RunFolder, collection: Collection, what: str, change: dict[str, Any]
) -> None:
    spec, training = small_run.run.spec, small_run.run.training
    if what == "model":
        spec = replace(spec, **change)
    else:
        training = replace(training, **change)
    with pytest.raises(RunError, match=f"the {what} differ from those the run was begun with"):
        fit(collection, spec, training, small_run.path, resume=True)


def test_resuming_on_other_data_is_refused(
    small_run: RunFolder, small_people: Path, tmp_path: Path
) -> None:
    people = tmp_path / "people"
    shutil.copytree(small_people, people)
    (people / "synthetic_001" / "face" / "000.png").unlink()
    with pytest.raises(RunError, match="the data differ"):
        fit(read_collection(index_people(people), 64), small_run.run.spec, small_run.run.training,
            small_run.path, resume=True)


def test_a_folder_of_other_files_is_refused(
    small_run: RunFolder, collection: Collection, tmp_path: Path
) -> None:
    (tmp_path / "letter.txt").touch()
    for resume in (False, True):
        with pytest.raises(RunError, match="expected an empty or a new folder, found files"):
            fit(collection, small_run.run.spec, small_run.run.training, tmp_path, resume=resume)
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]


def test_another_seed_is_another_training(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FAMILIES, "tiny", TINY)
    monkeypatch.setattr("train.training.examples.MIN_EXAMPLES", 24)
    spec = make_spec("tiny", collection.people.names, 64)
    losses = []
    for place, seed in enumerate((0, 0, 1)):
        run = fit(collection, spec, Training(epochs=1, seed=seed), tmp_path / str(place))
        losses.append(float(history(run.path, "face")[0]["loss"]))
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    assert abs(losses[0] - losses[2]) > 1e-3


def command(people: Path, out: Path, *more: str) -> list[str]:
    return ["fit", "--data", str(people), "--model", "tiny", "--image-size", "64", "--epochs", "2",
            "--out", str(out), *more]


@pytest.mark.slow
def test_a_killed_training_goes_on_and_is_the_same(
    run_train: Run, small_people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed once its first epoch is on disk: that epoch is not trained again, and the losses are
    those of a training in another process that nobody disturbed."""
    monkeypatch.setitem(FAMILIES, "tiny", TINY)
    monkeypatch.setattr("train.training.examples.MIN_EXAMPLES", 24)
    whole, out = tmp_path / "whole", tmp_path / "run"
    checkpoint = out / "checkpoint" / "face.npz"
    with (tmp_path / "log").open("w") as log:
        child = subprocess.Popen(
            [sys.executable, CHILD, *command(small_people, out)], cwd=ROOT, stdout=log, stderr=log,
            env=os.environ | {"PYTHONPATH": str(ROOT)})
        end = time.monotonic() + 600
        while not checkpoint.is_file() and child.poll() is None and time.monotonic() < end:
            time.sleep(0.002)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL, (tmp_path / "log").read_text()
    with np.load(checkpoint) as file:
        before = json.loads(str(file["state"]))["rows"]
    assert 1 <= len(before) <= 2

    done = run_train(*command(small_people, out, "--resume"))
    assert done.returncode == 0, done.stderr
    undisturbed = run_train(*command(small_people, whole))
    assert undisturbed.returncode == 0, undisturbed.stderr
    for modality in MODALITIES:
        found, expected = history(out, modality), history(whole, modality)
        assert [row["epoch"] for row in found] == ["1", "2"]
        for row, other in zip(found, expected, strict=True):
            for name in row.keys() - set(THROUGHPUT_COLUMNS):
                assert float(row[name]) == pytest.approx(float(other[name]), rel=0, abs=1e-5), name
    for row, old in zip(history(out, "face"), before, strict=False):
        assert {name: float(value) for name, value in row.items()} == old
    assert {p.name for p in out.iterdir()} >= {"curves.png", "accuracy.json", "wrong.csv"}
    assert set(json.loads((out / "accuracy.json").read_text())) == {"test"}
    seconds = [float(row["seconds"]) for part in MODALITIES for row in history(out, part)]
    assert load_run(out).run.wall_s == pytest.approx(sum(seconds)), "the time before the kill too"
    load_run(out).load_network("voice")
    assert "8 test pairs, synthetic people" in done.stdout and f"run folder: {out}" in done.stdout


def test_an_untrained_run(tmp_path: Path) -> None:
    names = ("anna", "ben", "cleo")
    first = init(make_spec(FAMILY, names, 64), tmp_path / "one", seed=0)
    assert load_run(tmp_path / "one") == first and first.run.data is None
    again = init(make_spec(FAMILY, names, 64), tmp_path / "two", seed=0)
    other = init(make_spec(FAMILY, names, 64), tmp_path / "three", seed=1)
    networks = [folder.load_network("face") for folder in (first, again, other)]
    one, two, three = (network.get_weights() for network in networks)
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, three, strict=True))
    assert networks[0].output["scores"].shape == (None, 3)
    with pytest.raises(RunError, match="there is a run already"):
        init(make_spec(FAMILY, names, 64), tmp_path / "one", seed=0)


def test_weights_that_are_missing_or_damaged(small_run: RunFolder, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, small_run.run)
    for content in (None, b"", b"no weights", small_run.weights("face").read_bytes()[:100_000],
                    small_run.weights("voice").read_bytes()):
        if content is not None:
            folder.weights("face").write_bytes(content)
        with pytest.raises(RunError, match="weights are missing, damaged or of another model"):
            folder.load_network("face")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"format": 1}',
                                     b'{"format": 1, "colour": 1}'])
def test_a_damaged_run_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(RunError, match="train again"):
        load_run(tmp_path)


def test_a_missing_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected a run folder"):
        load_run(tmp_path / "nowhere")


def test_another_format_is_refused(small_run: RunFolder, tmp_path: Path) -> None:
    content = json.loads((small_run.path / "run.json").read_text()) | {"format": 2}
    (tmp_path / "run.json").write_text(json.dumps(content))
    with pytest.raises(RunError, match="expected format 1, found 2"):
        load_run(tmp_path)


def test_who_is_synthetic(collection: Collection) -> None:
    assert is_synthetic(collection)
    first, *rest = collection.people.samples
    real = replace(collection, people=replace(
        collection.people, samples=(replace(first, person="anna"), *rest)))
    assert not is_synthetic(real)


def test_without_files_to_validate_on(
    small_run: RunFolder, collection: Collection, tmp_path: Path
) -> None:
    people = collection.people.without(collection.people.of("face", "validation"))
    with pytest.raises(PeopleError, match="expected face files to validate on"):
        fit(replace(collection, people=people), small_run.run.spec, small_run.run.training,
            tmp_path / "run")


@pytest.mark.parametrize(("arguments", "expected"), [
    (("--model", "resnet"), "unknown model 'resnet', expected one of "),
    (("--model", "mobilvit_xxs_edge"),
     "unknown model 'mobilvit_xxs_edge' (did you mean mobilevit_xxs_edge"),
    (("--image-size", "100"), "image size 100: mobilevit_xxs_edge expects a multiple of 64"),
    (("--image-size", "0"), "image size 0"), (("--image-size", "-64"), "image size -64"),
    (("--epochs", "0"), "--epochs expects a number above 0, found 0"),
    (("--learning-rate", "-1"), "--learning-rate expects a number above 0, found -1.0"),
    (("--devices", "2"), "--devices 2: expected the JAX backend, found tensorflow; set KERAS_BA"),
    (("--data", "nowhere"), "nowhere: expected a folder of people, found none"),
    (("--noise", "nowhere"), "expected a folder with sound files of noise, found none"),
], ids=lambda value: "".join(value) if isinstance(value, tuple) else "")
def test_a_mistake_is_one_line(
    run_train: Run, small_people: Path, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    done = run_train("fit", "--data", small_people, "--image-size", 64, "--out",
                      tmp_path / "run", *arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("python -m train: ") and expected in done.stderr
