"""People kept for later enrolment, and people there is too little of."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.dataset.collection import Collection, read_collection
from edge_runtime.dataset.people import index_people
from edge_runtime.errors import PeopleError, UsageError
from train.cli import main
from train.data import choose_people, without_people
from train.models.build import make_spec
from train.runs.folder import Data, RunFolder, Training
from train.scoring.evaluate import evaluate
from train.training.fit import fit

Mistake = Callable[..., str]
NAMES = ("ada", "bob", "eve", "zoe")


@pytest.fixture(scope="module")
def collection(small_people: Path) -> Collection:
    return read_collection(index_people(small_people), 64)


def test_so_many_are_drawn_by_the_seed() -> None:
    drawn = {choose_people(NAMES, "2", seed) for seed in range(20)}
    assert len(drawn) > 3 and choose_people(NAMES, "2", 3) == choose_people(NAMES, "2", 3)
    assert all(len(set(chosen)) == 2 and set(chosen) < set(NAMES) for chosen in drawn)
    assert choose_people(NAMES, "0", 0) == ()


def test_rotations_leave_out_everybody_once() -> None:
    names = tuple(f"p{i:02}" for i in range(11))
    rotations = [choose_people(names, "2", 3, k) for k in range(5)]
    assert rotations[0] == choose_people(names, "2", 3)
    assert len({name for chosen in rotations for name in chosen}) == 10


@pytest.mark.parametrize(("choice", "rotation", "message"), [
    ("2", 2, "--rotation expects a number from 0 to 1, for 2 of 4 people, found 2"),
    ("2", -1, "--rotation expects a number from 0 to 1"),
    ("names.txt", 1, "--rotation goes with a number of people to leave out, found a file")])
def test_rotations_that_do_not_work(choice: str, rotation: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        choose_people(NAMES, choice, 0, rotation)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_those_named_in_a_file(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "names.txt"
    file.write_text("zoe\r\n\r\n  bob \r\nzoe\r\n", encoding=encoding, newline="")
    assert choose_people(NAMES, str(file), 0) == ("bob", "zoe")


def test_names_in_a_file_follow_the_rule(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text(" Zoe\u0308 \nAnna  B\n", encoding="utf-8")
    assert choose_people(("Anna B", "Ben", "Cem", "Zoë"), str(file), 0) == ("Anna B", "Zoë")


@pytest.mark.parametrize(("content", "message"), [
    ("ada\nmax\nanna\n", r"expected people of the data \(ada, bob, eve ...\), found anna, max"),
    ("ada\nbob\neve\n", "expected at least 2 people to train on, found 1 of 4; leave out fewer"),
    (None, "--leave-out-people expects a number or a text file of names")])
def test_names_that_do_not_work(tmp_path: Path, content: str | None, message: str) -> None:
    file = tmp_path / "names.txt"
    if content:
        file.write_text(content)
    with pytest.raises((PeopleError, UsageError), match=message):
        choose_people(NAMES, str(file), 0)


@pytest.mark.parametrize("count", ["3", "4", "99"])
def test_too_many(count: str) -> None:
    with pytest.raises(PeopleError, match="expected at least 2 people to train on, found"):
        choose_people(NAMES, count, 0)


@pytest.mark.parametrize("choice", ["-1", "1.5", "\u00b2", "people"])
def test_no_number(choice: str) -> None:
    with pytest.raises(UsageError, match="expects a number or a text file of names"):
        choose_people(NAMES, choice, 0)


def test_evaluation_ignores_them(small_run: RunFolder, collection: Collection) -> None:
    """A run of four, told that a fifth was left out: the fifth is in the folder and is no error."""
    assert small_run.run.data is not None
    fifth = [replace(s, person="zoe", path=f"zoe/{s.path}") for s in collection.people.samples
             if s.person == "synthetic_001"]
    more = replace(collection, people=replace(
        collection.people, samples=(*collection.people.samples, *fifth)))
    with pytest.raises(PeopleError, match=r"1 people unknown to the run \(zoe\)"):
        evaluate(small_run, more)
    old: Data = small_run.run.data
    data = Data(root=old.root, digest=old.digest, synthetic=True, problems=[], left_out=("zoe",))
    run = type(small_run.run)(
        format=1, spec=small_run.run.spec, training=small_run.run.training, data=data,
        versions={}, commit=None, wall_s=None)
    found = evaluate(RunFolder(small_run.path, run), more)
    expected = evaluate(small_run, collection)
    assert found.pairs == expected.pairs
    np.testing.assert_allclose(found.columns["face"], expected.columns["face"], atol=1e-6)


def test_without_people(collection: Collection) -> None:
    fewer = without_people(collection, ("synthetic_002",))
    assert "synthetic_002" not in fewer.people.names and len(fewer.people.names) == 3
    assert len(collection.people.names) == 4 and fewer.digest == collection.digest


def test_too_few_files_of_somebody(collection: Collection, tmp_path: Path) -> None:
    clips = [s for s in collection.people.samples
             if (s.person, s.modality) == ("synthetic_003", "voice")]
    only_one = replace(collection, people=collection.people.without(clips[1:]))
    spec = make_spec("mobilevit_xxs_edge", collection.people.names, 64)
    with pytest.raises(PeopleError, match="expected at least 2 voice files of everybody, to train "
                                          "on and to test, found 1 of synthetic_003; add files"):
        fit(only_one, spec, Training(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.fixture
def mistake(
    small_people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """Run `fit` with a mistake in its arguments; return its one line."""
    def fit_with(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", [
            "train", "fit", "--data", str(small_people), "--image-size", "64", "--out",
            str(tmp_path / "run"), *map(str, arguments)])
        assert main() == 2
        said = capsys.readouterr().err
        assert len(said.splitlines()) == 1, said
        return said

    return fit_with


@pytest.mark.parametrize(("arguments", "expected"), [
    (("--rotation", "1"), "--rotation K expects --leave-out-people N, found none"),
    (("--leave-out-people", 3), "expected at least 2 people to train on, found 1 of 4"),
    (("--leave-out-people", "nobody.txt"), "expects a number or a text file of names"),
    (("--cosface-scale", 100), "--cosface-scale expects a number above 0 and up to 40, found 100"),
    (("--cosface-margin", 0), "--cosface-margin expects a number above 0, found 0.0"),
    (("--weights", "imagenet"), "mobilevit_xxs_edge takes no --weights, only vgg16 does"),
    (("--init-from", "nowhere"), "nowhere: expected a run folder"),
], ids=lambda value: value[0] if isinstance(value, tuple) else "")
def test_a_mistake_is_one_line(
    mistake: Mistake, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    assert expected in mistake(*arguments)
    assert not (tmp_path / "run").exists()


def test_runs_of_another_family(
    small_run: RunFolder, mistake: Mistake, tmp_path: Path
) -> None:
    for family, option, expected in [
        ("vit", "--init-from", "expected a run of vit, found one of mobilevit_xxs_edge"),
        ("vit_frozen_add", "--towers", "expected --towers RUN with a run of vit, found "
                                       "mobilevit_xxs_edge"),
        ("mobilevit_xxs_edge", "--towers", "is trained as a whole; leave out --towers"),
    ]:
        assert expected in mistake("--model", family, option, small_run.path)
    assert not (tmp_path / "run").exists()


def test_one_person(mistake: Mistake, small_people: Path, tmp_path: Path) -> None:
    shutil.copytree(small_people / "synthetic_001", tmp_path / "people" / "synthetic_001")
    found = mistake("--data", tmp_path / "people")
    assert "expected at least 2 people with faces and voices, found 1" in found


def test_a_checkpoint_cut_short(
    small_run: RunFolder, mistake: Mistake, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(small_run.path, tmp_path / "run"))
    checkpoint = run / "checkpoint" / "face.npz"
    checkpoint.write_bytes(checkpoint.read_bytes()[:100_000])
    training = small_run.run.training
    found = mistake("--epochs", training.epochs, "--batch-size", training.batch_size,
                    "--learning-rate", training.learning_rate, "--resume")
    assert "the checkpoint is damaged or of another model" in found
    assert (run / "face.weights.h5").read_bytes() == (
        small_run.path / "face.weights.h5").read_bytes()
