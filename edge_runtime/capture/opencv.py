"""Cameras by OpenCV: V4L2 devices by number or path, and RTSP and HTTP streams."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from edge_runtime.capture.camera import Frame
from edge_runtime.capture.source import Produce
from edge_runtime.capture.status import DeviceError, device_error

WIDTH, HEIGHT = 640, 480  # what is asked of a camera; it may give another size
# A host that comes back is noticed at the next attempt: SYNs are sent 0, 1 and 3 s after its start.
_OPEN_MS, _READ_MS = 4_000, 3_000


def import_opencv() -> Any:
    """The module cv2, which says nothing on the screen. Raises DeviceError where it is missing."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        import cv2
    except ImportError as error:
        raise DeviceError("failed", f"OpenCV does not import ({error}); pip install "
                          "'visavox[capture]', or opencv-python-headless where there is no screen"
                          ) from None
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


def rgb(bgr: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """OpenCV's BGR, uint8 [height, width, 3], as RGB."""
    return np.ascontiguousarray(bgr[..., ::-1])


def device_frames(device: int | str) -> Produce[Frame]:
    """A camera by its number or path (/dev/video0, /dev/v4l/by-id/...)."""

    def frames(stop: threading.Event) -> Generator[Frame, None, None]:
        cv2 = import_opencv()
        name = f"camera {device}"
        if sys.platform == "linux":
            _check_node(name, f"/dev/video{device}" if isinstance(device, int) else device)
        # Elsewhere OpenCV knows best; on Linux its other ways are slow and say misleading things.
        backend = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY
        capture = cv2.VideoCapture(device, backend)
        try:
            if not capture.isOpened():
                raise device_error(name, "it does not open, as if busy, or it is no camera")
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, WIDTH)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT)
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            yield from _read(capture, stop)
            raise device_error(name, "it gives no more pictures")
        finally:
            capture.release()

    return frames


def _check_node(name: str, path: str) -> None:
    """Find out why a device cannot be opened, which OpenCV does not tell."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    except OSError as error:
        raise device_error(name, f"{path}: {error.strerror}") from None


def stream_frames(address: str) -> Produce[Frame]:
    """A camera in the network, by RTSP or HTTP."""

    def frames(stop: threading.Event) -> Generator[Frame, None, None]:
        cv2 = import_opencv()
        name = stream_name(address)
        capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_MS])
        try:
            if not capture.isOpened():
                raise DeviceError("missing", f"{name}: no video comes from there; check that it is "
                                             "switched on, the address and the password")
            yield from _read(capture, stop)
            raise DeviceError("missing", f"{name}: the stream has stopped; check that it is "
                                         "switched on and within reach")
        finally:
            capture.release()

    return frames


def stream_name(address: str) -> str:
    """An address without the password and what else may be secret in it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _read(capture: Any, stop: threading.Event) -> Generator[Frame, None, None]:
    while not stop.is_set():
        there, picture = capture.read()
        if not there:
            return
        yield Frame(rgb(picture), time.monotonic())
