"""Cameras by OpenCV: V4L2 devices by number or path, and RTSP and HTTP streams."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Generator
from typing import Any

from edge_runtime.capture.camera import Frame
from edge_runtime.capture.source import Produce
from edge_runtime.capture.status import DeviceError, device_error
from edge_runtime.errors import UsageError
from edge_runtime.opencv import opencv

WIDTH, HEIGHT = 640, 480  # what is asked of a camera; it may give another size
# A host that comes back is noticed at the next attempt: SYNs are sent 0, 1 and 3 s after its start.
_OPEN_MS, _READ_MS = 4_000, 3_000


def import_opencv() -> Any:
    """The module cv2. Raises DeviceError where it is missing."""
    try:
        return opencv()
    except UsageError as error:
        raise DeviceError("failed", str(error)) from None


def device_frames(device: int | str) -> Produce[Frame]:
    """A camera by its number or path (/dev/video0, /dev/v4l/by-id/...)."""

    def frames(stop: threading.Event) -> Generator[Frame, None, None]:
        cv2 = import_opencv()
        linux = sys.platform == "linux"
        capture = cv2.VideoCapture(device, cv2.CAP_V4L2 if linux else cv2.CAP_ANY)
        try:
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, WIDTH)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT)
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            yield from _read(cv2, capture, stop)
        finally:
            capture.release()
        raise _why(device, f"/dev/video{device}" if linux and isinstance(device, int) else device)

    return frames


def _why(device: int | str, path: int | str) -> DeviceError:
    """Why a camera gives no pictures, which OpenCV does not tell."""
    try:
        if isinstance(path, str):
            os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    except OSError as error:
        return device_error(f"camera {device}", f"{path}: {error.strerror}")
    return DeviceError("busy", f"camera {device}: it gives no pictures; end the other program that "
                               "uses it, or name another, if it is no camera")


def stream_frames(address: str, name: str) -> Produce[Frame]:
    """A camera in the network, by RTSP or HTTP. name: the address without what is secret in it."""

    def frames(stop: threading.Event) -> Generator[Frame, None, None]:
        cv2 = import_opencv()
        capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_MS])
        try:
            if not capture.isOpened():
                raise DeviceError("missing", f"{name}: no video comes from there; check that it is "
                                             "switched on, the address and the password")
            yield from _read(cv2, capture, stop)
            raise DeviceError("missing", f"{name}: the stream has stopped; check that it is "
                                         "switched on and within reach")
        finally:
            capture.release()

    return frames


def _read(cv2: Any, capture: Any, stop: threading.Event) -> Generator[Frame, None, None]:
    while not stop.is_set():
        there, picture = capture.read()
        if not there:
            return
        yield Frame(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), time.monotonic())
