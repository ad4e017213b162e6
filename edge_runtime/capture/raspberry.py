"""Raspberry Pi cameras, which are no V4L2 devices for OpenCV: rpicam-vid, or picamera2.

rpicam-vid through a pipe works in any environment; picamera2 is built for the system's Python. The
pipe carries JPEG pictures, one after the other (ITU-T T.81, annex B); arecord's sound is read from
a pipe in the same way.
"""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from edge_runtime.capture.camera import HEIGHT, WIDTH, Frame, import_opencv
from edge_runtime.capture.source import DeviceError, Produce, device_error
from edge_runtime.signals.picture_file import JPEG_MARKER

_PROGRAMS = ("rpicam-vid", "libcamera-vid")  # today's name, and that of before 2024
_FRAMES_PER_S = 15


def rpicam_program() -> str | None:
    """The program that this system has, if any."""
    return next((program for program in _PROGRAMS if shutil.which(program)), None)


def rpicam_list(program: str) -> list[str]:
    """One line for each camera, in order. Raises DeviceError where the program does not answer."""
    try:
        said = subprocess.run([program, "--list-cameras"], stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=10, errors="replace", check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise device_error(program, str(error)) from None
    # "0 : imx708 [4608x2592 10-bit RGGB] (/base/axi/...)", with its modes on lines that follow
    lines = (said.stdout + said.stderr).splitlines()
    return [line.partition(" : ")[2].strip() for line in lines
            if line.partition(" : ")[0].strip().isdigit()]


def rpicam_frames(number: int) -> Produce[Frame]:
    """A camera by rpicam-vid, as MJPEG through a pipe."""

    def frames(stop: threading.Event) -> Generator[Frame, None, None]:
        cv2 = import_opencv()
        program = rpicam_program()
        if program is None:
            raise DeviceError("failed", "rpicam-vid is not installed; apt install rpicam-apps")
        command = [program, "--camera", str(number), "--codec", "mjpeg", "--timeout", "0",
                   "--nopreview", "--verbose", "0", "--width", str(WIDTH), "--height", str(HEIGHT),
                   "--framerate", str(_FRAMES_PER_S), "--flush", "--output", "-"]
        for jpeg in split_jpegs(output_of(command, f"camera rpicam:{number}", stop)):
            picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            if picture is not None:
                yield Frame(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), time.monotonic())

    return frames


def picamera2_frames(number: int) -> Produce[Frame]:
    """A camera by picamera2, where it imports."""

    def frames(stop: threading.Event) -> Generator[Frame, None, None]:
        name = f"camera picamera2:{number}"
        camera = _open_picamera2(name, number)
        try:
            while not stop.is_set():
                yield Frame(np.ascontiguousarray(camera.capture_array("main")), time.monotonic())
        except RuntimeError as error:
            raise device_error(name, str(error)) from None
        finally:
            camera.stop()
            camera.close()

    return frames


def _open_picamera2(name: str, number: int) -> Any:
    try:
        from picamera2 import Picamera2
    except (ImportError, ValueError) as error:  # ValueError: built for another NumPy
        raise DeviceError("failed", f"picamera2 does not import ({error}); use --camera rpicam"
                          ) from None
    try:
        camera = Picamera2(number)
        # What it names BGR888 lies in memory as R, G, B.
        camera.configure(camera.create_video_configuration(
            main={"format": "BGR888", "size": (WIDTH, HEIGHT)}))
        camera.start()
    except (RuntimeError, IndexError) as error:
        raise device_error(name, str(error)) from None
    return camera


_QUIET_S = 4.0  # then it is ended and started again; a Pi's camera takes some 2 s to start
_TICK_S = 0.1  # how soon a stop is seen
_TAIL_BYTES = 4_000  # of what it complains about


def output_of(
    command: Sequence[str], name: str, stop: threading.Event
) -> Generator[bytes, None, None]:
    """What a program writes to its standard output, as it comes; the program ends with the reader.

    Raises DeviceError with the last line of its standard error where it ends, and where it writes
    nothing for 4 s.
    """
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, bufsize=0)
    except OSError as error:
        raise device_error(name, f"{command[0]}: {error.strerror}") from None
    try:
        yield from _read(process, name, stop)
    finally:
        _end(process)


def _read(
    process: subprocess.Popen[bytes], name: str, stop: threading.Event
) -> Generator[bytes, None, None]:
    assert process.stdout and process.stderr
    complaint = b""
    heard_s = time.monotonic()
    with selectors.DefaultSelector() as pipes:
        pipes.register(process.stdout, selectors.EVENT_READ)
        pipes.register(process.stderr, selectors.EVENT_READ)
        while not stop.is_set():
            for key, _ in pipes.select(_TICK_S):
                data = os.read(key.fd, 1 << 16)
                if not data:
                    pipes.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    complaint = (complaint + data)[-_TAIL_BYTES:]
                else:
                    heard_s = time.monotonic()
                    yield data
            if not pipes.get_map():
                raise device_error(name, _last_line(complaint))
            if time.monotonic() - heard_s > _QUIET_S:
                raise DeviceError("stalled", f"{name}: it has given nothing for {_QUIET_S:.0f} s; "
                                             "check its cable")


def _last_line(complaint: bytes) -> str:
    lines = complaint.decode(errors="replace").strip().splitlines()
    return lines[-1].strip(" *") if lines else "its program has ended"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(1.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()


MAX_BYTES = 16_000_000  # of one picture; more is no picture, and is thrown away

_START = b"\xff\xd8"


def split_jpegs(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Whole pictures from `chunks` of any size; what is no picture between them is left out."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while True:
            start = buffer.find(_START)
            if start < 0:
                del buffer[:-1]  # the last byte may be the first of a start
                break
            del buffer[:start]
            try:
                end = _end_of_picture(buffer)
            except ValueError:
                del buffer[:len(_START)]  # go on with the next start
                continue
            if end is None:
                if len(buffer) > MAX_BYTES:
                    buffer.clear()
                break
            yield bytes(buffer[:end])
            del buffer[:end]


def _end_of_picture(data: bytearray) -> int | None:
    """Where the picture that `data` begins with ends; None where that is still to come.

    Segments are skipped by their length, since they may hold a whole preview picture. Raises
    ValueError where there is no marker in its place.
    """
    at = len(_START)
    while at + 4 <= len(data) or data[at:at + 2] == b"\xff\xd9":
        if data[at] != 0xFF or data[at + 1] in (0x00, 0xD8):
            raise ValueError("no marker")
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker == 0xFF:  # padding
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:  # markers without contents
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2:at + 4], "big")
            if marker == 0xDA:  # a scan: compressed data follow
                found = JPEG_MARKER.search(data, at)
                if found is None:
                    return None
                at = found.start()
    return None
