"""Each problem that the doctor looks for is brought about, and found, and nothing else is."""

from __future__ import annotations

import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import soundfile

from edge_runtime.doctor.examine import CHECKS, PROBLEMS, examine
from edge_runtime.doctor.finding import Check, Finding, Problem, well
from edge_runtime.doctor.machine import Machine
from tests.edge_runtime.capture.stand_ins import tone
from tests.edge_runtime.doctor import provoke_bundles, provoke_devices, provoke_machine
from tests.edge_runtime.doctor.scene import PROVOKED, Scene, as_usual_user

OF_CHECKS = [(check, problem) for check in CHECKS for problem in check.problems]
assert provoke_bundles and provoke_devices and provoke_machine  # they fill PROVOKED


def test_every_problem_is_provoked_here() -> None:
    below = {"not-readable", "check-broken", "check-stuck"}  # found by whatever check it is
    assert set(PROVOKED) | below == {p.code for p in PROBLEMS}
    assert len({problem.code for problem in PROBLEMS}) == len(PROBLEMS) >= 15
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("check", "problem"), OF_CHECKS,
                         ids=[problem.code for _, problem in OF_CHECKS])
def test_a_problem_is_found(scene: Scene, check: Check, problem: Problem) -> None:
    provoked = PROVOKED[problem.code]
    machine = provoked.make(scene)
    began_s = time.monotonic()
    found = (list(check.look(machine)) if scene.full_rights
             else as_usual_user(lambda: list(check.look(machine))))
    assert time.monotonic() - began_s < 20
    findings = [finding for finding in found if finding.code == problem.code]
    assert len(findings) == 1, found
    assert findings[0].severity == problem.severity
    assert provoked.found in findings[0].found and provoked.fix in findings[0].fix, findings
    assert findings[0].fix
    for finding in found:
        assert "\n" not in finding.found + finding.fix
        assert finding.code in {check.name, *(problem.code for problem in check.problems)}


def make_well(scene: Scene) -> Machine:
    """A Pi 5 with everything that it needs."""
    scene.write("proc/cpuinfo", provoke_machine.PI_5)
    scene.write("proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable: 7000000 kB\n")
    scene.write("proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    scene.write("sys/class/thermal/thermal_zone0/temp", "48000\n")
    scene.write("sys/class/thermal/thermal_zone1/temp", "255000\n")
    scene.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "ondemand\n")
    scene.program("vcgencmd", "print('throttled=0x0')")
    scene.program("timedatectl", "print('yes')")
    scene.program("rpicam-vid", "")
    scene.package("ai-edge-litert", "2.3.0")
    for module in ("cv2", "sounddevice", "webrtcvad", "cryptography"):
        scene.module(module)
    (scene.folder / "pictures").mkdir()
    for number in range(3):
        cv2.imwrite(f"pictures/{number}.png", np.full((48, 64, 3), 200, np.uint8))
    soundfile.write("speech.wav", tone(440, 1.0, 16_000), 16_000)
    provoke_bundles.write_key(scene)
    bundle = scene.bundle({})
    return scene.machine(
        bundle=bundle, gallery=provoke_bundles.enroll(scene, bundle), camera="pictures",
        microphone="speech.wav", import_path=scene.whole_path())


def test_a_machine_that_is_well(scene: Scene) -> None:
    findings = list(examine(make_well(scene)))
    assert [finding for finding in findings if finding.severity != "ok"] == []
    assert {finding.code for finding in findings} == {check.name for check in CHECKS}
    assert all(finding.found and not finding.fix for finding in findings)


def test_a_machine_of_which_nothing_is_known(scene: Scene) -> None:
    found = {finding.code for finding in examine(scene.machine())}
    assert found == {"processor", "clock", "no-interpreter", "extra-missing"}


def test_what_this_user_cannot_read(scene: Scene) -> None:
    folder = scene.folder / "hidden"
    folder.mkdir(mode=0)
    machine = scene.machine(bundle=folder / "bundle", gallery=folder / "gallery.db")
    try:
        found = as_usual_user(lambda: list(examine(machine)))
    finally:
        folder.chmod(0o700)
    [first, *_] = hidden = [finding for finding in found if finding.code == "not-readable"]
    assert first.found.startswith(f"{folder}/bundle: Permission denied, while the check 'disk'")
    assert all(finding.severity == "fault" and finding.fix for finding in hidden)
    assert "check-broken" not in {finding.code for finding in found}


def test_a_check_that_fails_stops_no_other(scene: Scene) -> None:
    def broken(machine: Machine) -> Iterator[Finding]:
        yield well("broken", "so far")
        raise RuntimeError("of ours\nin two lines")

    def stuck(machine: Machine) -> Iterator[Finding]:
        time.sleep(5)
        yield well("stuck", "too late")

    checks = (Check("broken", broken, ()), Check("stuck", stuck, ()),
              Check("last", lambda _: iter([well("last", "fine")]), ()))
    began_s = time.monotonic()
    found = list(examine(scene.machine(), checks, limit_s=0.3))
    assert time.monotonic() - began_s < 2
    assert [finding.code for finding in found] == ["broken", "check-broken", "check-stuck", "last"]
    assert found[1].found == ("the check 'broken' itself has failed: RuntimeError: of ours in two "
                              "lines")
    assert all(finding.fix for finding in found[1:3])
