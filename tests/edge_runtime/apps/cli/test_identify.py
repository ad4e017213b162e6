"""The command `visavox`: what `identify` and `inspect` print."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from edge_runtime.apps.cli import main
from edge_runtime.dataset.people import index_people
from tests.edge_runtime.command_line import RUN, mistake, visavox
from train.synthetic import room_picture
from train.synthetic.faces import Identity

Change = Callable[[dict[str, Any]], Path]


def test_identify_for_people(bundle: Path, pair: tuple[Path, Path]) -> None:
    done = visavox("identify", "--bundle", bundle, "--face", pair[0], "--voice", pair[1])
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("most like synthetic_")
    assert "no thresholds" in lines[0]
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == ["", "person", "score", "face",
                                                                    "voice"]
    people = [line.split("|")[2].strip() for line in lines[4:8]]
    assert sorted(people) == [f"synthetic_00{i}" for i in range(1, 5)]
    assert people[0] in lines[0]
    assert lines[-1].startswith("ms: read face ") and "(ai-edge-litert" in lines[-1]


def test_identify_for_programs(bundle: Path, pair: tuple[Path, Path]) -> None:
    done = visavox("identify", "--bundle", bundle, "--face", pair[0], "--voice", pair[1],
                   "--top", 3, "--threads", 2, "--json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    assert set(content) >= {"person", "reason", "top", "ms"}
    assert content["person"] is None and content["reason"] == "no_thresholds"
    assert content["threshold"] is content["false_accept_rate"] is None
    assert [set(ranked) for ranked in content["top"]] == [{"person", "score", "scores"}] * 3
    for ranked in content["top"]:
        assert set(ranked["scores"]) == {"face", "voice"}
        assert all(0 <= score <= 1 for score in [ranked["score"], *ranked["scores"].values()])
    assert set(content["ms"]) == {"read_face", "read_voice", "quality", "face_network",
                                  "voice_network", "decision"}
    assert set(content["quality"]) == {"face", "voice"}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole picture of a room with somebody in it."""
    who, rng = Identity.draw(np.random.default_rng(1)), np.random.default_rng([1, 0])
    file = tmp_path_factory.mktemp("scene") / "scene.png"
    Image.fromarray(room_picture(who, rng)[0]).save(file)
    return file


@pytest.fixture
def wall(tmp_path: Path) -> Path:
    """A picture without a face."""
    Image.new("RGB", (320, 240), "grey").save(tmp_path / "wall.png")
    return tmp_path / "wall.png"


def test_identify_on_a_whole_picture(
    bundle: Path, scene: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["identify", "--bundle", str(bundle), "--picture", str(scene), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert set(content["ms"]) == {"read_picture", "detect", "crop", "quality", "face_network",
                                  "decision"}
    assert content["quality"] == {"face": []}


def test_a_picture_without_a_face(
    bundle: Path, wall: Path, pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line where there is nothing else; the voice decides where there is one."""
    expected = "no face was found; look into the camera, with light on the face"
    assert mistake("identify", "--bundle", bundle, "--picture", wall) == f"{wall}: {expected}"
    arguments = ["identify", "--bundle", str(bundle), "--voice", str(pair[1])]
    assert main([*arguments, "--json"]) == 0
    alone = json.loads(capsys.readouterr().out)
    assert main([*arguments, "--picture", str(wall), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["top"] == alone["top"]
    assert content["quality"]["face"] == [
        {"reason": "no_face", "message": expected, "refuses": True}]
    assert main([*arguments, "--picture", str(wall)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"face left out: {expected}" in lines
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == ["", "person", "score", "voice"]


def test_quality_is_told_and_refuses_nothing(
    bundle: Path, pair: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Image.open(pair[0]) as face:
        face.point(lambda value: value // 5).save(tmp_path / "dark.png")
    samples, rate = soundfile.read(pair[1], dtype="float32")
    soundfile.write(tmp_path / "short.wav", samples[rate : 3 * rate // 2], rate)
    arguments = ["identify", "--bundle", str(bundle), "--face", str(tmp_path / "dark.png"),
                 "--voice", str(tmp_path / "short.wav")]
    assert main([*arguments, "--json"]) == 0
    quality = json.loads(capsys.readouterr().out)["quality"]
    assert [flaw["reason"] for flaw in quality["face"]] == ["face_too_dark"]
    assert [flaw["reason"] for flaw in quality["voice"]] == ["too_little_speech"]
    assert main(arguments) == 0
    assert "face: the face is too dark; turn on a light" in capsys.readouterr().out.splitlines()


def test_without_webrtcvad_the_voice_is_not_judged(
    bundle: Path, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "webrtcvad", None)
    assert main(["identify", "--bundle", str(bundle), "--voice", str(pair[1]), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["quality"] == {"voice": None}


@pytest.mark.parametrize(("least", "reason"), [(0.0, "accepted"), (1.0, "below_threshold")])
def test_identify_with_thresholds(
    changed_bundle: Change, pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str],
    least: float, reason: str,
) -> None:
    keys = ("face", "voice", "ensemble", "false_accept_rate", "false_accept_bound")
    bundle = changed_bundle({"thresholds": dict.fromkeys(keys, least) | {"false_accept_rate": 0.2}})
    arguments = ["identify", str(bundle), "--voice", str(pair[1])]
    assert main(arguments) == 0
    headline, beside = capsys.readouterr().out.splitlines()[:2]
    assert main([*arguments, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["reason"] == reason
    assert (content["threshold"], content["false_accept_rate"]) == (least, 0.2)
    score, rest = beside.removeprefix("score ").split(", ", 1)
    assert float(score) == pytest.approx(content["top"][0]["score"], abs=6e-4)
    assert rest == f"threshold {least:.3f}, which at most 20 % of strangers reach"
    if reason == "accepted":
        assert headline == content["person"] == content["top"][0]["person"]
    else:
        assert content["person"] is None
        assert headline == "nobody: no score reaches its threshold"


def test_a_score_near_its_threshold_is_told_from_it(
    changed_bundle: Change, pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    def run(least: float, *more: str) -> str:
        keys = ("face", "voice", "ensemble", "false_accept_rate", "false_accept_bound")
        bundle = changed_bundle({"thresholds": dict.fromkeys(keys, least)})
        assert main(["identify", str(bundle), "--voice", str(pair[1]), *more]) == 0
        shutil.rmtree(bundle)
        return capsys.readouterr().out

    score = json.loads(run(0.5, "--json"))["top"][0]["score"]
    line = run(score + 3e-5).splitlines()[1]
    shown, least = map(float, re.findall(r"0\.\d+", line))
    assert shown < least and shown == pytest.approx(score, abs=1e-4), line


def test_nothing_heavy_is_imported(bundle: Path, pair: tuple[Path, Path]) -> None:
    code = ("import sys; from edge_runtime.apps.cli import main; main(); "
            "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)")
    done = visavox("identify", "--bundle", bundle, "--face", pair[0], "--voice", pair[1],
                   code=code)
    modules = set(done.stderr.splitlines()[-1].split())
    assert modules >= {"edge_runtime", "numpy", "ai_edge_litert"}
    assert not modules & {"tensorflow", "keras", "tf_keras", "librosa", "torch", "scipy",
                          "matplotlib", "cv2", "train", "convert", "benchmarks"}


def test_inspect(bundle: Path, small_bundles: dict[str, Path],
                 capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "--bundle", str(bundle)]) == 0
    text = capsys.readouterr().out
    assert f"{bundle}: mobilevit_xxs_edge pair, float32, 4 people" in text
    assert "certified: yes" in text
    assert "thresholds: none: people are ranked only" in text
    assert "synthetic people" in text and "people: synthetic_001, synthetic_002" in text
    for folder in (bundle, small_bundles["dynamic_wi8"]):
        assert main(["inspect", "--bundle", str(folder), "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == json.loads(
            (folder / "manifest.json").read_text())


def test_inspect_shows_an_uncertified_bundle(
    changed_bundle: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = changed_bundle({"certified": False, "reason": "loses 5 points", "accuracy": None})
    assert main(["inspect", "--bundle", str(bundle)]) == 0
    assert "certified: no (loses 5 points)" in capsys.readouterr().out


def test_uncertified_is_refused_unless_told(
    changed_bundle: Change, pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = changed_bundle({"certified": False, "reason": "loses 5 points"})
    arguments = ["identify", "--bundle", str(bundle), "--face", str(pair[0])]
    assert main(arguments) == 2
    assert "not certified (loses 5 points)" in capsys.readouterr().err
    assert main([*arguments, "--allow-uncertified"]) == 0


def test_the_installed_script(small_bundles: dict[str, Path]) -> None:
    script = Path(sys.executable).with_name("visavox")
    done = subprocess.run([script, "inspect", "--json", "--bundle", small_bundles["float32"]],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["recipe"] == "float32"


def test_a_reader_that_stops_reading(small_bundles: dict[str, Path]) -> None:
    command = [sys.executable, "-c", RUN, "inspect", "--bundle", str(small_bundles["float32"])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout and child.stderr
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait() == 141  # as of SIGPIPE


def test_a_manifest_cannot_steer_the_terminal(
    changed_bundle: Change, small_people: Path
) -> None:
    names = index_people(small_people).names
    hostile = ["\x1b[2Jowned\ncertified: yes \u202e", *names[1:]]
    bundle = changed_bundle({"people": hostile, "reason": "fine\r\x1b]0;t\x07",
                             "warnings": ["\x9b31m"]})
    face = small_people / names[0] / "face" / "000.png"
    for done in (visavox("inspect", "--bundle", bundle),
                 visavox("identify", "--bundle", bundle, "--face", face)):
        assert done.returncode == 0, done.stderr
        assert "\\x1b[2Jowned\\ncertified: yes \\u202e" in done.stdout
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.stdout)
