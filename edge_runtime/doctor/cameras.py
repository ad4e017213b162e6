"""Cameras: V4L2 nodes, the Raspberry Pi's own, and the one that is named, which is opened."""

from __future__ import annotations

import grp
import os
import time
from collections.abc import Iterator
from pathlib import Path

from edge_runtime.capture.camera import Camera
from edge_runtime.capture.devices import CSI_RECEIVERS, camera_from, first_camera, v4l2_cameras
from edge_runtime.capture.microphone import Microphone
from edge_runtime.capture.raspberry import rpicam_program
from edge_runtime.capture.source import State, Status
from edge_runtime.doctor.finding import Check, Finding, Problem, well
from edge_runtime.doctor.machine import Machine

_LOOK_S = 6.0  # a Raspberry Pi's camera takes some 2 s to start, and black or silence 1.5 to show
_WELL_S = 2.0  # of "ok", after which neither black nor silence is to be expected
_SETTLED: tuple[State, ...] = ("black", "silent", "missing", "busy", "denied", "ended", "failed")


def settled_status(source: Camera | Microphone) -> Status:
    """How a source is, once that is plain: opened, looked at for at most 6 s, and closed."""
    with source:
        begun_s = time.monotonic()
        well_since_s = None
        while True:
            now_s, status = time.monotonic(), source.status
            well_since_s = (well_since_s or now_s) if status.state == "ok" else None
            if (status.state in _SETTLED or now_s - begun_s >= _LOOK_S
                    or (well_since_s is not None and now_s - well_since_s >= _WELL_S)):
                return status
            time.sleep(0.05)


def parted(message: str) -> tuple[str, str]:
    """The line of a status or an error, as what was found and what to do."""
    found, _, fix = message.partition("; ")
    return found, fix or "report this line to those who make visavox"


_SYSFS = "sys/class/video4linux"

DENIED = Problem("camera-denied", "fault", "a camera that this user may not open (group video)")
CSI = Problem("camera-csi", "fault", "a Raspberry Pi camera named by number, which OpenCV cannot "
              "open")
NONE = Problem("no-camera", "warning", "no camera at all")
MISSING = Problem("camera-missing", "fault", "the named camera is not there")
BUSY = Problem("camera-busy", "fault", "a camera that another program uses")
STALLED = Problem("camera-stalled", "fault", "a camera that is open and gives nothing")
FAILED = Problem("camera-failed", "fault", "a camera or video file that will not do, such as a "
                 "damaged file")
BLACK = Problem("camera-black", "warning", "a camera whose pictures are black")
RPICAM_MISSING = Problem("rpicam-missing", "warning", "a Raspberry Pi without rpicam-vid")
PICAMERA2_BROKEN = Problem("picamera2-broken", "warning", "a picamera2 that does not import, as in "
                           "an environment with NumPy 2")

_BY_STATE: dict[State, Problem] = {
    "missing": MISSING, "busy": BUSY, "stalled": STALLED, "starting": STALLED, "failed": FAILED,
    "black": BLACK, "denied": DENIED}


def _look_at_camera(machine: Machine) -> Iterator[Finding]:
    if machine.camera is None:
        if not machine.has_module("cv2"):
            return  # the extra is missing, which is said elsewhere
        denied = [node for node in _nodes(machine) if not os.access(node, os.R_OK | os.W_OK)]
        for node in denied:
            yield DENIED.found(f"this user may not open {node}", _join_group(node))
        if denied:
            return
    if receiver := _csi_receiver(machine):
        yield CSI.found(f"camera {machine.camera} is {receiver}, a Raspberry Pi's own, which "
                        "OpenCV cannot open", "--camera rpicam")
        return
    name = machine.camera or first_camera(machine.file(_SYSFS))
    if name is None:
        yield NONE.found("no camera found", "plug one in and ask again; 'visavox devices' says "
                         "what could not be looked for")
        return
    status = settled_status(camera_from(name))
    if problem := _BY_STATE.get(status.state):
        found, fix = parted(status.message)
        if problem is BUSY:
            nodes = _node_of(name) or "/dev/video* /dev/media*"
            fix = f"end the program that fuser names: sudo fuser -v {nodes}"
        elif problem is DENIED:
            fix = _join_group(Path(_node_of(name) or "/dev/video0"))
        yield problem.found(found, fix)
    else:
        yield well("camera", status.message)


def _nodes(machine: Machine) -> list[Path]:
    return [machine.root / camera.detail.lstrip("/")
            for camera in v4l2_cameras([], machine.file(_SYSFS))]


def _node_of(camera: str) -> str | None:
    """The V4L2 node of what --camera names, if it is one."""
    if camera.isdigit():
        return f"/dev/video{camera}"
    return str(Path(camera).resolve()) if camera.startswith("/dev/") else None


def _csi_receiver(machine: Machine) -> str | None:
    """The kernel's name of the named camera, where OpenCV cannot read from it."""
    node = _node_of(machine.camera or "")
    name = machine.text(f"{_SYSFS}/{Path(node).name}/name") if node else ""
    return name if name.startswith(CSI_RECEIVERS) else None


def _join_group(node: Path) -> str:
    try:
        group = grp.getgrgid(node.stat().st_gid).gr_name
    except (OSError, KeyError):
        group = "video"
    if group == "root":  # set by hand: Debian gives cameras to the group video
        return f"sudo chgrp video '{node}' && sudo chmod 660 '{node}'"
    return f"sudo usermod -aG {group} \"$USER\", then log in again"


def _look_at_raspberry(machine: Machine) -> Iterator[Finding]:
    receivers = [node for node in machine.file(_SYSFS).glob("video*")
                 if machine.text(node / "name").startswith(CSI_RECEIVERS)]
    if not (machine.is_raspberry_pi or receivers):
        return
    program = rpicam_program()
    if program is None:
        yield RPICAM_MISSING.found("rpicam-vid is not installed, by which a Raspberry Pi's own "
                                   "camera works in any environment",
                                   "sudo apt install rpicam-apps")
    else:
        yield well("raspberry-camera", f"{program} is there: --camera rpicam")
    if machine.has_module("picamera2") and (error := machine.import_error("picamera2")):
        yield PICAMERA2_BROKEN.found(
            f"picamera2 does not import, as it is built for the system's Python and NumPy: {error}",
            "--camera rpicam in the place of --camera picamera2")


CHECKS = (
    Check("camera", _look_at_camera,
          (DENIED, CSI, NONE, MISSING, BUSY, STALLED, FAILED, BLACK)),
    Check("raspberry-camera", _look_at_raspberry, (RPICAM_MISSING, PICAMERA2_BROKEN)),
)
