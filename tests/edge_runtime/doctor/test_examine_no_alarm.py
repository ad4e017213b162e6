"""What looks like a problem and is none, and what hangs."""

from __future__ import annotations

import time

import pytest

from edge_runtime.doctor.finding import Finding
from edge_runtime.doctor.hardware import CHECKS as HARDWARE
from edge_runtime.doctor.machine import Machine
from edge_runtime.doctor.software import LIBRARY_CHECKS as LIBRARIES
from tests.edge_runtime.doctor.scene import Scene

LOOKS = {check.name: check.look for check in (*HARDWARE, *LIBRARIES)}


def only(name: str, machine: Machine) -> Finding:
    [finding] = LOOKS[name](machine)
    return finding


@pytest.mark.parametrize("driver", ["intel_pstate", "amd-pstate-epp"])
def test_powersave_that_follows_the_load(scene: Scene, driver: str) -> None:
    folder = "sys/devices/system/cpu/cpu0/cpufreq"
    scene.write(f"{folder}/scaling_governor", "powersave\n")
    scene.write(f"{folder}/scaling_driver", f"{driver}\n")
    assert list(LOOKS["governor"](scene.machine())) == []


@pytest.mark.parametrize("program", ["print('error=1 error_msg=\"Command not registered\"')",
                                     "sys.exit('VCHI initialization failed')"])
def test_a_vcgencmd_that_tells_nothing(scene: Scene, program: str) -> None:
    scene.program("vcgencmd", program)
    assert list(LOOKS["power"](scene.machine())) == []


def test_portaudio_missing_where_arecord_is_there(scene: Scene) -> None:
    scene.module("sounddevice", "raise OSError('PortAudio library not found')")
    scene.program("arecord", "")
    finding = only("sound", scene.machine())
    assert finding.severity == "ok" and finding.found.startswith("arecord, in the place of")


def test_what_is_left_of_a_package_is_no_package(scene: Scene) -> None:
    scene.package("opencv-python", "4.11.0.86")
    (scene.site / "opencv_python_headless-4.12.0.88.dist-info").mkdir()
    assert list(LOOKS["opencv"](scene.machine())) == []


def test_a_program_and_a_module_that_hang(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_runtime.doctor.machine._PROGRAM_S", 0.3)
    monkeypatch.setattr("edge_runtime.doctor.machine._CHILD_S", 0.3)
    scene.program("vcgencmd", "time.sleep(20)")
    scene.module("cv2", "import time; time.sleep(20)")
    began_s = time.monotonic()
    assert list(LOOKS["power"](scene.machine())) == []
    finding = only("opencv", scene.machine())
    assert finding.code == "opencv-broken" and "was not done within" in finding.found
    assert time.monotonic() - began_s < 5
