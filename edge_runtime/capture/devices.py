"""Which cameras and microphones there are; and what a user writes after --camera and --microphone,
as a source.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from edge_runtime.capture.camera import (
    Camera,
    Frame,
    device_frames,
    shown_address,
    split_address,
    stream_frames,
)
from edge_runtime.capture.files import FileClock, folder_frames, sound_clips, video_frames
from edge_runtime.capture.microphone import (
    Clip,
    Microphone,
    arecord_clips,
    arecord_list,
    arecord_program,
)
from edge_runtime.capture.portaudio import import_sounddevice, input_devices, portaudio_clips
from edge_runtime.capture.raspberry import (
    picamera2_frames,
    rpicam_frames,
    rpicam_list,
    rpicam_program,
)
from edge_runtime.capture.source import DeviceError, Produce
from edge_runtime.errors import UsageError

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


CAMERA_HELP = ("auto, a number or path (0, /dev/video0), rpicam or picamera2 (rpicam:1 for the "
               "second), rtsp://... or http://..., a video file, or a folder of pictures")
MICROPHONE_HELP = ("auto, a number or a part of a name as 'visavox devices' shows them, "
                   "arecord or arecord:plughw:1,0, or a sound file")
_SCHEMES = ("rtsp", "rtsps", "http", "https")
_STREAM = re.compile(rf"({'|'.join(_SCHEMES)})://", re.IGNORECASE)
_ADDRESS = re.compile(r"@|\w\w:/")  # not C:/
_PI = re.compile(r"(rpicam|picamera2)(?::(\d))?")


def camera_from(text: str, clock: FileClock | None = None) -> Camera:
    """The camera, stream, file or folder that `text` names (see CAMERA_HELP), not yet opened.

    clock: shared with the microphone, so that two files begin together. Raises UsageError.
    """
    return Camera(*_camera(text, clock or FileClock()))


def microphone_from(text: str, clock: FileClock | None = None) -> Microphone:
    """The microphone or file that `text` names (see MICROPHONE_HELP), not yet opened.

    clock: shared with the camera, so that two files begin together. Raises UsageError.
    """
    return Microphone(*_microphone(text, clock or FileClock()))


def _camera(text: str, clock: FileClock) -> tuple[str, Produce[Frame]]:
    path = Path(text)
    if text == "auto":
        return "camera auto", _auto_frames
    if text.isascii() and text.isdigit() and int(text) < 256:
        return f"camera {text}", device_frames(int(text))
    if pi := _PI.fullmatch(text):
        make = rpicam_frames if pi[1] == "rpicam" else picamera2_frames
        return f"camera {text}", make(int(pi[2] or 0))
    if _STREAM.match(text):
        return _stream(text)
    if text and _is_there(path):
        make_file = folder_frames if path.is_dir() else video_frames
        return _printable(str(path)), make_file(path, clock)
    if text.startswith("/dev/") and text.isprintable():
        return f"camera {text}", device_frames(text)
    raise UsageError(f"--camera expects {CAMERA_HELP}; found {_shown(text)}, which is none of "
                     "these")


def _stream(text: str) -> tuple[str, Produce[Frame]]:
    try:
        name = shown_address(split_address(text, _SCHEMES))
    except ValueError as error:
        raise UsageError(f"--camera expects {CAMERA_HELP}; found {error}") from None
    return name, stream_frames(text, name)


def _auto_frames(stop: threading.Event) -> Generator[Frame, None, None]:
    """The first camera that there is at this moment."""
    found = first_camera()
    if found is None:
        raise DeviceError("missing", "no camera found; plug one in, or name one: 'visavox devices' "
                                     "lists them and says what it could not look for")
    _, produce = _camera(found, FileClock())
    yield from produce(stop)


def _microphone(text: str, clock: FileClock) -> tuple[str, Produce[Clip]]:
    path = Path(text)
    if text == "arecord" or text.startswith("arecord:"):
        return f"microphone {text}", arecord_clips(text.partition(":")[2] or None)
    if text.isascii() and text.isdigit() and int(text) < 1000:
        return f"microphone {text}", portaudio_clips(int(text))
    if text and _is_there(path) and path.is_file():
        return _printable(str(path)), sound_clips(path, clock)
    if not text.isprintable() or not text.strip() or "/" in text or len(text) > 200:
        raise UsageError(f"--microphone expects {MICROPHONE_HELP}; found {_shown(text)}, "
                         "which is none of these")
    device = None if text == "auto" else text
    return f"microphone {text}", portaudio_clips(device) if _has_portaudio() else (
        arecord_clips(device))


def _has_portaudio() -> bool:
    """Whether PortAudio is there, or nothing else is: then its absence is what has to be said."""
    try:
        import_sounddevice()
    except DeviceError:
        return arecord_program() is None
    return True


def _is_there(path: Path) -> bool:
    """Whether it is a file or a folder; a device is neither."""
    try:
        return path.is_file() or path.is_dir()
    except (OSError, ValueError):  # far too long, or with a zero byte
        return False


def _shown(text: str) -> str:
    """What was found, unless it may hold a password."""
    if _ADDRESS.search(text):
        return "an address, not shown as it may hold a password"
    text = _printable(text)
    return f"'{text if len(text) <= 60 else text[:57] + '...'}'"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
