"""Raspberry Pi cameras, which are no V4L2 devices for OpenCV: rpicam-vid, or picamera2.

rpicam-vid through a pipe works in any environment; picamera2 is built for the system's Python.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Generator
from typing import Any

import numpy as np

from edge_runtime.capture.camera import Frame
from edge_runtime.capture.mjpeg import split_jpegs
from edge_runtime.capture.opencv import HEIGHT, WIDTH, import_opencv
from edge_runtime.capture.program import output_of
from edge_runtime.capture.source import Produce
from edge_runtime.capture.status import DeviceError, device_error

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
