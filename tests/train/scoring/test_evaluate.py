"""How well a run does: columns, noise, other people, and the command line."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_runtime.dataset.collection import Collection, read_collection
from edge_runtime.dataset.people import index_people, test_pairs
from edge_runtime.decision.scoring import fuse
from edge_runtime.errors import PeopleError
from edge_runtime.evaluation.accuracy import PairScores
from train.models.build import make_spec
from train.runs.folder import RunFolder, init
from train.scoring.evaluate import evaluate, save_accuracy, summary

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def collection(small_people: Path) -> Collection:
    return read_collection(index_people(small_people), 64)


@pytest.fixture(scope="module")
def result(small_run: RunFolder, collection: Collection) -> PairScores:
    return evaluate(small_run, collection)


@pytest.fixture
def run_copy(small_run: RunFolder, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(small_run.path, tmp_path / "run")), small_run.run)


def test_columns(result: PairScores, small_run: RunFolder, collection: Collection) -> None:
    assert list(result.pairs) == test_pairs(collection.people) and len(result.pairs) == 8
    names = small_run.run.spec.people
    assert [names[i] for i in result.labels] == [face.person for face, _ in result.pairs]
    assert list(result.columns) == ["face", "voice", "ensemble"]
    for scores in result.columns.values():
        assert scores.shape == (8, 4)
        np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(result.columns["ensemble"],
                                  fuse(result.columns["face"], result.columns["voice"]))


def test_summary(result: PairScores) -> None:
    content = json.loads(json.dumps(summary(result, "test")))
    assert set(content) == {"pairs", "split", "accuracy", "interval"}
    assert (content["pairs"], content["split"]) == (8, "test")
    assert set(content["accuracy"]) == {"face", "voice", "ensemble", "product", "scaled", "fused"}
    assert content["accuracy"]["fused"] is None
    for column, (low, high) in content["interval"].items():
        assert 0 <= low <= content["accuracy"][column] <= high <= 1
        assert content["accuracy"][column] == np.mean(
            result.columns[column].argmax(axis=1) == result.labels)


def test_what_is_saved(result: PairScores, run_copy: RunFolder) -> None:
    content = summary(result, "test")
    save_accuracy(run_copy, result, content, "test")
    save_accuracy(run_copy, result, content | {"snr_db": 5.0}, "test snr 5")
    saved = json.loads((run_copy.path / "accuracy.json").read_text())
    assert list(saved) == ["test", "test snr 5"] and saved["test snr 5"]["snr_db"] == 5
    assert saved["test"]["accuracy"] == content["accuracy"]
    for name in ("wrong.csv", "wrong test snr 5.csv"):
        with (run_copy.path / name).open(newline="") as file:
            rows = list(csv.DictReader(file))
        wrong = [i for i in range(8) if not all(result.correct(c)[i] for c in result.columns)]
        assert [row["face_path"] for row in rows] == [result.pairs[i][0].path for i in wrong]
        for row, i in zip(rows, wrong, strict=True):
            assert row["person"] == result.pairs[i][0].person
            for column in result.columns:
                right = row[f"{column}_named"] == row["person"]
                assert right == result.correct(column)[i]
                assert float(row[f"{column}_score"]) == pytest.approx(
                    result.columns[column][i].max(), abs=1e-4)


def test_all_right_leaves_a_table_without_rows(
    result: PairScores, run_copy: RunFolder
) -> None:
    right = np.eye(4, dtype=np.float32)[result.labels]
    perfect = replace(result, columns=dict.fromkeys(result.columns, right))
    save_accuracy(run_copy, perfect, summary(perfect, "test"), "test")
    assert len((run_copy.path / "wrong.csv").read_text().splitlines()) == 1
    assert perfect.accuracy() == dict.fromkeys(result.columns, 1.0)
    assert perfect.intervals() == dict.fromkeys(result.columns, (1.0, 1.0))


def test_noise_reaches_the_voice_alone(
    small_run: RunFolder, collection: Collection, result: PairScores, rng: np.random.Generator
) -> None:
    before = {s: clip.copy() for s, clip in collection.clips.items()}
    noises = [rng.normal(size=32_000).astype(np.float32)]
    loud, again = (evaluate(small_run, collection, noises=noises, snr_db=-20) for _ in range(2))
    np.testing.assert_allclose(loud.columns["face"], result.columns["face"], atol=1e-6)
    assert np.abs(loud.columns["voice"] - result.columns["voice"]).max() > 1e-5
    # The caller's clips stay clean, or a second evaluation would have the noise twice.
    np.testing.assert_array_equal(again.columns["voice"], loud.columns["voice"])
    for sample, clip in before.items():
        np.testing.assert_array_equal(collection.clips[sample], clip)


def test_another_split(small_run: RunFolder, collection: Collection) -> None:
    found = evaluate(small_run, collection, "validation")
    assert {face.split for face, _ in found.pairs} == {"validation"}
    assert summary(found, "validation")["split"] == "validation"


def with_stranger(collection: Collection, split: str) -> Collection:
    """synthetic_004 under another name; as a stranger, or as one to be told apart."""
    samples = {s: replace(s, person="zoe", **({"split": split} if split == "stranger" else {}))
               for s in collection.people.samples if s.person == "synthetic_004"}
    people = replace(collection.people, samples=tuple(
        samples.get(s, s) for s in collection.people.samples))
    return replace(collection, people=people,
                   faces={samples.get(s, s): face for s, face in collection.faces.items()},
                   clips={samples.get(s, s): clip for s, clip in collection.clips.items()})


def test_people_unknown_to_the_run(small_run: RunFolder, collection: Collection) -> None:
    for split in ("test", "stranger"):
        with pytest.raises(PeopleError, match="1 people unknown to the run \\(zoe\\)"):
            evaluate(small_run, with_stranger(collection, split),
                     "stranger" if split == "stranger" else "test")


def test_strangers_are_left_out_of_a_test(small_run: RunFolder, collection: Collection) -> None:
    found = evaluate(small_run, with_stranger(collection, "stranger"))
    assert "zoe" not in {face.person for face, _ in found.pairs} and len(found.pairs) == 6


def test_a_split_without_pairs(small_run: RunFolder, collection: Collection) -> None:
    with pytest.raises(PeopleError, match="in the split 'stranger'"):
        evaluate(small_run, collection, "stranger")


def test_the_command(run_copy: RunFolder, run_train: Run, tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    noise.mkdir()
    soundfile.write(noise / "hiss.wav",
                    np.random.default_rng(0).normal(0, 0.1, 16_000), 16_000)
    done = run_train("evaluate", run_copy.path, "--noise", noise, "--snr", 5,
                      "--json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    assert set(content) >= {"pairs", "split", "accuracy", "interval"}
    assert content["pairs"] == 8 and content["split"] == "test" and content["snr_db"] == 5
    assert set(content["accuracy"]) == {"face", "voice", "ensemble", "product", "scaled", "fused"}
    saved = json.loads((run_copy.path / "accuracy.json").read_text())
    assert (content["schema"], content["kind"]) == (1, "train evaluate")
    head = ("schema", "kind", "made_by")
    assert saved == {"test snr 5": {k: v for k, v in content.items() if k not in head}}
    assert (run_copy.path / "wrong test snr 5.csv").is_file()


def test_the_command_for_people(run_copy: RunFolder, run_train: Run) -> None:
    done = run_train("evaluate", run_copy.path, "--split", "validation")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().splitlines()
    assert lines[0].endswith(" validation pairs, synthetic people")
    assert [line.split("|")[1].strip() for line in lines[3:]] == ["face", "voice", "ensemble",
                                                               "product", "scaled"]


def mistake(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def test_noise_without_a_ratio(small_run: RunFolder, run_train: Run, tmp_path: Path) -> None:
    for arguments in (("--noise", tmp_path), ("--snr", 5)):
        done = run_train("evaluate", small_run.path, *arguments)
        assert "--noise DIR and --snr DB go together" in mistake(done)


def test_an_untrained_run(run_train: Run, tmp_path: Path) -> None:
    init(make_spec("mobilevit_xxs_edge", ("anna", "ben"), 64), tmp_path / "run", seed=0)
    done = run_train("evaluate", tmp_path / "run")
    assert "the run is untrained (made by init or import-weights)" in mistake(done)


def test_no_run(run_python: Run, tmp_path: Path) -> None:
    assert "expected a run folder" in mistake(run_python("-m", "train", "evaluate", tmp_path))


def test_other_people(small_run: RunFolder, run_train: Run, small_people: Path,
                      tmp_path: Path) -> None:
    others = tmp_path / "people"
    for old, new in (("synthetic_001", "synthetic_001"), ("synthetic_002", "zoe")):
        shutil.copytree(small_people / old, others / new)
    done = run_train("evaluate", small_run.path, "--data", others)
    assert "1 people unknown to the run (zoe)" in mistake(done)
