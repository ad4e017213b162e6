"""`visavox thresholds` on synthetic people whom the network has not seen, and who is named then."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.apps.cli import main
from edge_runtime.bundle.manifest import read_manifest
from edge_runtime.dataset.people import index_people

Change = Callable[[dict[str, Any]], Path]


@pytest.fixture
def run(
    changed_bundle: Change, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """run('thresholds', ...) on a certified bundle and a gallery of its own."""
    common = ["--gallery", str(tmp_path / "gallery.db"), "--key", str(tmp_path / "device.key")]
    bundle = ["--bundle", str(changed_bundle({}))]

    def call(command: str, *arguments: object) -> tuple[int, str, str]:
        code = main([command, *map(str, arguments), *common,
                     *(bundle if command != "people" else [])])
        return code, *capsys.readouterr()
    return call


def test_thresholds_make_identify_name_and_refuse(
    run: Callable[..., tuple[int, str, str]], others: Path, tmp_path: Path
) -> None:
    arguments = ("thresholds", "--people", others, "--false-accept-rate", 0.6, "--json",
                 "--plots", tmp_path / "plots")
    code, _, err = run(*arguments)  # neither is kept: the bundle is of drawn people
    assert code == 2 and "was trained on synthetic people" in err and "with --force" in err
    assert json.loads(run("people", "--json")[1]) == {"people": [], "forced": None}
    code, out, _ = run(*arguments, "--force")
    assert code == 0
    content = json.loads(out)
    assert set(content["thresholds"]) == {"face", "voice", "both"}
    assert all(bound <= 0.6 for bound in content["false_accept_bound"].values())
    assert content["people"] == 6 and content["lookalikes"] == []
    for picture in ("trade_off.png", "scores.png"):
        assert (tmp_path / "plots" / picture).stat().st_size > 10_000

    people = index_people(others)
    first = [others / s.path for s in people.of("face", "train") if s.person == "other_001"]
    assert run("enroll", "Anna", "--face", *first[:3], "--allow-duplicate")[0] == 0
    tried = others / next(s.path for s in people.of("face", "test") if s.person == "other_001")
    code, out, _ = run("identify", "--face", tried, "--json")
    content = json.loads(out)
    assert code == 0 and content["reason"] in ("accepted", "below_threshold")
    assert [ranked["person"] for ranked in content["top"]] == ["Anna"]
    assert (content["person"] == "Anna") is (content["reason"] == "accepted")


def test_too_few_people_to_say(run: Callable[..., tuple[int, str, str]], others: Path) -> None:
    code, out, err = run("thresholds", "--people", others, "--false-accept-rate", 0.001,
                         "--force")
    assert (code, out) == (2, "") and len(err.splitlines()) == 1
    assert "too few to keep their false accepts under 0.1 % by face" in err
    code, out, _ = run("identify", "--face", others / "other_001" / "face" / "000.png")
    assert code == 0 and out.startswith("nobody: nobody is enrolled")


def test_people_of_the_training_are_refused(
    run: Callable[..., tuple[int, str, str]], small_people: Path
) -> None:
    code, _, err = run("thresholds", "--people", small_people, "--force")
    assert code == 2 and "4 people are those of the training (synthetic_001, ...)" in err


@pytest.mark.parametrize("rate", [0, 1, -0.5, "nan"])
def test_a_rate_that_is_none(
    run: Callable[..., tuple[int, str, str]], others: Path, rate: object
) -> None:
    code, _, err = run("thresholds", "--people", others, "--false-accept-rate", rate, "--force")
    assert code == 2 and "--false-accept-rate expects a share between 0 and 1" in err


def test_thresholds_of_people_of_the_training(
    changed_bundle: Change, small_people: Path, others: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle, people = changed_bundle({}), tmp_path / "people"
    shutil.copytree(small_people, people)
    arguments = ["thresholds", "--bundle", str(bundle), "--people", str(people)]
    assert main(arguments) == 2
    assert "expected people whom the network was not trained on" in capsys.readouterr().err
    shutil.copytree(others, people, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.csv"))
    rows = (others / "split.csv").read_text().splitlines()[1:]
    with (people / "split.csv").open("a") as file:
        file.writelines(f"{row.rpartition(',')[0]},stranger\n" for row in rows)
    assert main(arguments) == 2
    assert "too few to keep their false accepts under 5 %" in capsys.readouterr().err
    assert read_manifest(bundle).thresholds is None

    assert main([*arguments, "--false-accept-rate", "0.6", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    found = read_manifest(bundle).thresholds
    assert found is not None and found.false_accept_bound <= 0.6
    assert (found.face, found.voice, found.ensemble) == (
        content["face"], content["voice"], content["ensemble"])
    assert {path.name for path in bundle.iterdir()} == {"face.tflite", "voice.tflite",
                                                        "manifest.json"}
    face = people / next(s.path for s in index_people(people).of("face", "test"))
    assert main(["identify", "--bundle", str(bundle), "--face", str(face), "--json"]) == 0
    decision = json.loads(capsys.readouterr().out)
    named = decision["top"][0]["score"] >= found.face
    assert decision["reason"] == ("accepted" if named else "below_threshold")
