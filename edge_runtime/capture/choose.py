"""What a user writes after --camera and --microphone, as a source; one line for what is neither."""

from __future__ import annotations

import re
import threading
from collections.abc import Generator
from pathlib import Path

from edge_runtime.addresses import shown_address, split_address
from edge_runtime.capture.arecord import arecord_clips, arecord_program
from edge_runtime.capture.camera import Camera, Frame
from edge_runtime.capture.devices import first_camera
from edge_runtime.capture.files import FileClock, folder_frames, sound_clips, video_frames
from edge_runtime.capture.microphone import Clip, Microphone
from edge_runtime.capture.opencv import device_frames, stream_frames
from edge_runtime.capture.portaudio import import_sounddevice, portaudio_clips
from edge_runtime.capture.raspberry import picamera2_frames, rpicam_frames
from edge_runtime.capture.source import Produce
from edge_runtime.capture.status import DeviceError
from edge_runtime.errors import UsageError

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
