"""`python -m benchmarks accuracy`: what is spoilt, among how many people, and what is said."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.recognition.accuracy import (
    CLEAN,
    SUBSETS,
    _row,
    blurred,
    dimmed,
    draw_ladders,
    ladder_tables,
    measure_accuracy,
)
from edge_runtime.dataset.collection import read_collection
from edge_runtime.dataset.people import Sample, index_people, test_pairs
from edge_runtime.decision.identify import Identifier
from edge_runtime.errors import PeopleError
from edge_runtime.evaluation.accuracy import PairScores

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def measured(small_bundles: dict[str, Path], small_people: Path) -> dict[str, Any]:
    noise = 0.1 * np.random.default_rng(0).standard_normal(32_000, dtype=np.float32)
    return measure_accuracy(small_bundles["float32"], small_people, noises=[noise],
                            num_people=(2, 95))


def test_rows(measured: dict[str, Any]) -> None:
    assert (measured["people"], measured["recipe"]) == (4, "float32")
    rows = {(row["condition"], row["people"]): row for row in measured["rows"]}
    assert len(rows) == len(measured["rows"]) == 2 * 11
    clean = rows["clean", 4]
    for (condition, people), row in rows.items():
        assert people in (2, 4) and list(row["accuracy"]) == ["face", "voice", "ensemble"]
        for column, share in row["accuracy"].items():
            low, high = row["interval"][column]
            assert 0 <= low <= share <= high <= 1
        spoilt = "voice" if "noise" in condition else "face"
        kept = "face" if spoilt == "voice" else "voice"
        if people == 4:
            assert row["accuracy"][kept] == clean["accuracy"][kept]
    assert measured["open_set"] is None
    assert measured["open_set_reason"] == "the bundle was trained on everybody there"


def test_clean_is_what_the_device_decides(
    measured: dict[str, Any], small_bundles: dict[str, Path], small_people: Path
) -> None:
    identifier = Identifier.load(small_bundles["float32"], allow_uncertified=True)
    collection = read_collection(index_people(small_people), 64)
    pairs = test_pairs(collection.people)
    right = [identifier.identify(collection.faces[face], collection.clips[clip]).top[0].person
             == face.person for face, clip in pairs]
    assert measured["pairs"] == len(pairs)
    clean = next(r for r in measured["rows"] if (r["condition"], r["people"]) == ("clean", 4))
    assert clean["accuracy"]["ensemble"] == pytest.approx(np.mean(right), abs=1e-4)


def test_fewer_people_are_told_apart_among_themselves() -> None:
    """Everybody is taken for person 0, who is in few draws; among the others, all are right."""
    count, trials = 20, 3
    labels = np.repeat(np.arange(count), trials)
    scores = np.full((len(labels), count), 0.01, np.float32)
    scores[np.arange(len(labels)), labels] = 0.5
    scores[:, 0] = 0.9
    pair = (Sample("a", "a", "face", "test"), Sample("a", "a", "voice", "test"))
    whole = PairScores([pair] * len(labels), labels, {"face": scores})
    assert _row(whole, CLEAN, count, 0)["accuracy"]["face"] == pytest.approx(1 / count)
    few = _row(whole, CLEAN, 2, 0)
    draws = [np.random.default_rng([0, n]).permutation(count)[:2] for n in range(SUBSETS)]
    expected = np.mean([0.5 if 0 in draw else 1.0 for draw in draws])
    assert few["accuracy"]["face"] == pytest.approx(expected)
    assert few == _row(whole, CLEAN, 2, 0)  # by the seed


def test_spoilt_faces() -> None:
    face = np.zeros((64, 64, 3), np.uint8)
    face[:, 32:] = 200
    assert dimmed(face, 0.25).max() == 50 and dimmed(face, 1.0) is face
    soft = blurred(face, 0.05)
    assert soft.shape == face.shape and blurred(face, 0.0) is face
    assert abs(int(soft[32, 31, 0]) - 100) < 20 and soft.mean() == pytest.approx(100, abs=2)


def test_tables_and_plots(measured: dict[str, Any], tmp_path: Path) -> None:
    text = ladder_tables(measured)
    lines = text.splitlines()
    assert lines[2].split("|")[-2].strip() == "ensemble among 2"
    assert sum(line.startswith("|") for line in lines) == 2 + 11
    assert text.endswith("Open set: the bundle was trained on everybody there.")
    draw_ladders(tmp_path, measured)
    assert {file.name for file in tmp_path.glob("*")} == {
        "noise.png", "blur.png", "light.png", "people.png"}


def test_the_command(
    small_bundles: dict[str, Path], small_people: Path, others: Path, run_python: Run,
    tmp_path: Path,
) -> None:
    """Beside the bundle's people there are six whom it does not know: the open set."""
    both = shutil.copytree(small_people, tmp_path / "both")
    for person in others.glob("other_*"):
        shutil.copytree(person, both / person.name)
    rows = (others / "split.csv").read_text().splitlines()[1:]
    with (both / "split.csv").open("a") as table:
        table.write("\n".join([*rows, ""]))
    done = run_python("-m", "benchmarks", "accuracy", small_bundles["mixed_wi8"], "--data", both,
                      "--people", 3, "--json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    assert (content["schema"], content["kind"]) == (1, "benchmarks accuracy")
    assert content["people"] == 4 and content["open_set"]["enrolled"] == 3
    assert {row["snr_db"] for row in content["rows"]} == {None}  # without --noise
    assert "Of people whom training has not seen, 3 enrolled" in ladder_tables(content)


def test_mistakes(
    small_bundles: dict[str, Path], others: Path, small_people: Path, run_python: Run
) -> None:
    with pytest.raises(PeopleError, match="found none of 4; name the people it was trained on"):
        measure_accuracy(small_bundles["float32"], others)
    few = run_python("-m", "benchmarks", "accuracy", small_bundles["float32"], "--data",
                     small_people, "--people", 1)
    assert few.returncode == 2 and "--people expects numbers of at least 2" in few.stderr
