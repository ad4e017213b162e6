"""Which cameras and microphones there are, what could not be looked for, and why."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from edge_runtime.capture.arecord import arecord_list, arecord_program
from edge_runtime.capture.portaudio import input_devices
from edge_runtime.capture.raspberry import rpicam_list, rpicam_program
from edge_runtime.capture.status import DeviceError

SYSFS = Path("/sys/class/video4linux")
CSI_RECEIVERS = ("unicam", "rp1-cfe")  # what a Raspberry Pi's own cameras are connected to
# OpenCV cannot read pictures from them, nor from the Pi's video engines.
_NO_CAMERAS = (*CSI_RECEIVERS, "bcm2835-", "pispbe", "rpi-", "rpivid")


@dataclass(frozen=True)
class Device:
    """use: what to pass to --camera or --microphone. by: what it was found with."""

    use: str
    name: str
    by: str
    detail: str = ""


@dataclass(frozen=True)
class Devices:
    """not_looked_for: one line each, of what could not be looked for and why."""

    cameras: tuple[Device, ...]
    microphones: tuple[Device, ...]
    not_looked_for: tuple[str, ...]


def list_devices() -> Devices:
    """Look for everything that --camera and --microphone can name without an address."""
    problems: list[str] = []
    cameras = (*_rpicam(problems), *_picamera2(problems), *v4l2_cameras(problems))
    microphones = tuple(_portaudio(problems)) or tuple(_arecord(problems))
    return Devices(cameras, microphones, tuple(problems))


def first_camera(sysfs: Path = SYSFS) -> str | None:
    """What `--camera auto` stands for at this moment."""
    problems: list[str] = []
    found = (*_rpicam(problems), *_picamera2(problems), *v4l2_cameras(problems, sysfs))
    return found[0].use if found else None


def v4l2_cameras(problems: list[str], sysfs: Path = SYSFS) -> Iterator[Device]:
    """V4L2 cameras by what the kernel tells of them; none is opened."""
    if sys.platform != "linux":
        problems.append("cameras by number: they can be listed on Linux only; try --camera 0")
    elif not sysfs.is_dir():
        problems.append(f"V4L2 cameras: {sysfs} is not there; the kernel has seen no camera, or a "
                        "container hides it")
    else:
        for node in sorted(sysfs.glob("video*"), key=lambda node: (len(node.name), node.name)):
            name = _read(node / "name")
            # A camera's further nodes carry other things than pictures (UVC: metadata).
            if not name.startswith(_NO_CAMERAS) and _read(node / "index") in ("", "0"):
                yield Device(node.name.removeprefix("video"), name, "V4L2", f"/dev/{node.name}")


def _read(file: Path) -> str:
    return file.read_text(errors="replace").strip() if file.is_file() else ""


def _rpicam(problems: list[str]) -> Iterator[Device]:
    program = rpicam_program()
    if program is None:
        problems.append("Raspberry Pi cameras: rpicam-vid is not installed (apt install "
                        "rpicam-apps)")
        return
    try:
        for number, name in enumerate(rpicam_list(program)):
            yield Device(f"rpicam:{number}", name, program)
    except DeviceError as error:
        problems.append(f"Raspberry Pi cameras: {error}")


def _picamera2(problems: list[str]) -> Iterator[Device]:
    if rpicam_program() is not None or find_spec("picamera2") is None:
        return  # the same cameras again, or nothing that was asked for
    try:
        from picamera2 import Picamera2

        for number, about in enumerate(Picamera2.global_camera_info()):
            yield Device(f"picamera2:{number}", str(about.get("Model", "camera")), "picamera2")
    except (ImportError, ValueError, RuntimeError) as error:
        problems.append(f"Raspberry Pi cameras: picamera2 does not work ({error})")


def _portaudio(problems: list[str]) -> Iterator[Device]:
    try:
        found = input_devices()
    except DeviceError as error:
        problems.append(f"microphones by PortAudio: {error}")
        return
    for device in found:
        channels = device["max_input_channels"]
        yield Device(str(device["index"]), device["name"], "PortAudio",
                     f"{device['default_samplerate'] / 1000:g} kHz, {channels} "
                     f"channel{'s' * (channels != 1)}")


def _arecord(problems: list[str]) -> Iterator[Device]:
    if arecord_program() is None:
        problems.append("microphones by ALSA: arecord is not installed (apt install alsa-utils)")
        return
    try:
        for use, name in arecord_list():
            yield Device(use, name, "arecord")
    except DeviceError as error:
        problems.append(f"microphones by ALSA: {error}")
