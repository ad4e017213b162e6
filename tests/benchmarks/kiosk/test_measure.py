"""A real kiosk in a process of its own, asked and listened to for some seconds."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile

from benchmarks.cost.stages import SCENE
from benchmarks.kiosk.load import IDENTIFY, Load
from benchmarks.kiosk.measure import LOOK, is_bad, kiosk_table
from benchmarks.kiosk.process import kiosk_running
from benchmarks.results.schema import check_result

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def arguments(small_bundles: dict[str, Path], tmp_path: Path) -> list[str]:
    """Of a kiosk that sees one picture again and again and hears one sentence."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for i in range(8):
        shutil.copy(SCENE / "picture.jpg", pictures / f"{i}.jpg")
    sound, rate = soundfile.read(SCENE / "clip.flac")
    soundfile.write(tmp_path / "clip.wav", sound, rate)
    return ["--bundle", str(small_bundles["float32"]), "--allow-uncertified",
            "--camera", str(pictures), "--microphone", str(tmp_path / "clip.wav")]


def test_what_is_measured(run_python: Run, arguments: list[str]) -> None:
    done = run_python("-m", "benchmarks", "kiosk", "--minutes", 0.12, "--rate", 10, "--json", "--",
                      *arguments)
    content: dict[str, Any] = json.loads(done.stdout)
    check_result("printed", content)
    assert content["errors"] == {} and done.returncode == int(is_bad(content))
    assert content["requests"] == pytest.approx(72, abs=8)
    assert content["times"][IDENTIFY]["count"] == pytest.approx(0.4 * content["requests"], abs=4)
    assert content["messages"] > 2 * 8 * 5  # both listen, eight views a second
    assert content["picture_mib"] > 0.1  # and both look
    assert content["times"][LOOK]["median_ms"] > 0
    assert content["settled_mib"] == pytest.approx(content["end_mib"], rel=0.5)
    assert 0 < content["cores"] < content["conditions"]["cores"]
    assert "errors: none" in kiosk_table(content)


def test_what_fails_is_counted(arguments: list[str]) -> None:
    with kiosk_running(arguments) as kiosk:
        with Load(kiosk, rate=20, pages=1) as load:
            time.sleep(1)
        assert not load.record.errors
        assert kiosk.complaints() == []
        with Load(replace(kiosk, token="a wrong token"), rate=20, pages=0) as load:
            time.sleep(1)
        assert load.record.errors["GET /api/people: 401"]
    with Load(kiosk, rate=20, pages=1) as load:  # it has ended
        time.sleep(0.5)
    assert any(what.startswith(IDENTIFY) for what in load.record.errors)
    assert any(what.startswith("WS") for what in load.record.errors)


def test_mistakes(run_python: Run, tmp_path: Path) -> None:
    missing = run_python("-m", "benchmarks", "kiosk", "--", "--demo", tmp_path / "nothing")
    assert missing.returncode == 2 and missing.stderr.count("\n") == 1
    assert "the kiosk did not start" in missing.stderr and "run 'make demo'" in missing.stderr
    never = run_python("-m", "benchmarks", "kiosk", "--minutes", 0)
    assert never.returncode == 2 and "expect numbers above 0" in never.stderr
