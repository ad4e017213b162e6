"""The command `visavox doctor`: exit codes, both forms of output, and the base install."""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import soundfile

from edge_runtime.apps.cli import main
from edge_runtime.doctor.software import EXTRAS
from tests.edge_runtime.capture.stand_ins import tone

ROOT = Path(__file__).resolve().parents[4]
RUN = "import sys; from edge_runtime.apps.cli import main; sys.exit(main())"


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A camera and a microphone for the command line; no key of this machine's user."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("VISAVOX_DEVICE_KEY", raising=False)
    (tmp_path / "pictures").mkdir()
    for number in range(2):
        cv2.imwrite(str(tmp_path / "pictures" / f"{number}.png"),
                    np.full((48, 64, 3), 200, np.uint8))
    soundfile.write(tmp_path / "speech.wav", tone(440, 0.5, 16_000), 16_000)
    return ["--camera", str(tmp_path / "pictures"), "--microphone", str(tmp_path / "speech.wav")]


def test_this_machine(
    devices: list[str], run_python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = run_python("-c", RUN, "doctor", *devices, "--json")
    assert done.stderr == ""
    content = json.loads(done.stdout)
    severities = [finding["severity"] for finding in content["findings"]]
    assert content["faults"] == severities.count("fault")
    assert content["warnings"] == severities.count("warning")
    assert severities == sorted(severities, key=["fault", "warning", "ok"].index)
    assert done.returncode == (1 if content["faults"] else 0)
    codes = {finding["code"] for finding in content["findings"]}
    assert codes >= {"camera", "microphone", "interpreter", "clock"}
    assert "check-broken" not in codes


def test_a_fault(
    devices: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--bundle", str(tmp_path / "nowhere"), *devices]) == 1
    lines = capsys.readouterr().out.splitlines()
    place = lines.index(f"fault    bundle-damaged: {tmp_path}/nowhere: expected a bundle (a folder "
                        "with manifest.json), found none")
    assert lines[place + 1] == "         -> make one with 'python -m convert bundle'"
    faults, warnings, well = lines[-1].split(", ")
    assert "fault" in faults and "warning" in warnings and well.endswith(" ok")


@pytest.mark.parametrize(("arguments", "said"), [
    (["--camera", "no/such/film.mp4"], "--camera expects auto, a number"),
    (["--microphone", "no/such.wav"], "--microphone expects auto, a number"),
    (["--bundel", "x"], "there is no option '--bundel'"),
])
def test_a_mistake(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: Any = main(["doctor", *arguments])
    except SystemExit as exit:
        code = exit.code
    assert code == 2
    out, error = capsys.readouterr()
    assert out == "" and said in error and error.count("\n") == 1


def test_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["doctor", "--help"])
    assert "Exit code 0 where nothing is at fault, 1 where something is" in (
        " ".join(capsys.readouterr().out.split()))


def test_the_base_install(tmp_path: Path, devices: list[str]) -> None:
    """Everything that is installed but what the extras bring."""
    site = tmp_path / "site"
    site.mkdir()
    packages = Path(sysconfig.get_paths()["purelib"])
    for entry in packages.iterdir():
        if not entry.name.startswith(("cv2", "opencv", "sounddevice", "_sounddevice", "webrtcvad",
                                      "_webrtcvad", "cryptography", "__editable__")):
            (site / entry.name).symlink_to(entry)
    environment = os.environ | {"PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}
    done = subprocess.run([sys.executable, "-S", "-c", RUN, "doctor", "--json"], text=True,
                          cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.stderr == ""
    findings = json.loads(done.stdout)["findings"]
    missing = [finding for finding in findings if finding["code"] == "extra-missing"]
    assert [finding["fix"] for finding in missing] == ["pip install 'visavox[capture]'",
                                                       "pip install 'visavox[gallery]'"]
    assert "cv2, sounddevice, webrtcvad" in missing[0]["found"]
    codes = {finding["code"] for finding in findings}
    assert "interpreter" in codes
    assert not codes & {"opencv", "opencv-broken", "sound", "portaudio-missing", "camera-failed",
                        "check-broken"}


def test_the_extras_are_those_of_the_package() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert set(EXTRAS) <= set(setup["options.extras_require"])
