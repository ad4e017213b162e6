"""A camera by OpenCV: V4L2 devices by number or path, and RTSP and HTTP streams.

Addresses carry passwords before the host, in the path and in the query; webhooks in the path. Of
any address, nothing but scheme, host and port is ever shown.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Collection, Generator
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import numpy as np
import numpy.typing as npt

from edge_runtime.capture.source import (
    SAID_WITHIN_S,
    STALE_S,
    DeviceError,
    Produce,
    Source,
    Status,
    device_error,
)
from edge_runtime.errors import UsageError
from edge_runtime.signals.detection import opencv

BLACK_LEVEL = 24  # of 255; the noise of a covered lens stays below, video black is 16
_LIT_SHARE = 0.01  # of the pixels above it make a picture that is not black


@dataclass(frozen=True, eq=False)
class Frame:
    """picture: RGB, uint8 [height, width, 3]. at_s: when it was taken, as time.monotonic()."""

    picture: npt.NDArray[np.uint8]
    at_s: float


class Camera(Source[Frame]):
    """Keeps the newest frame only."""

    def __init__(self, name: str, produce: Produce[Frame]) -> None:
        super().__init__(name, produce)
        self._newest: Frame | None = None
        self._seen_s = 0.0  # when a picture was not black, or the camera was opened

    def latest(self, timeout_s: float, newer_than: Frame | None = None) -> Frame | None:
        """The newest frame, at most STALE_S old; None where none comes within `timeout_s`.

        newer_than: the frame that the caller had before; it waits for a later one.
        """
        def there() -> bool:
            frame = self._newest
            return (frame is not None and time.monotonic() - frame.at_s <= STALE_S
                    and (newer_than is None or frame.at_s > newer_than.at_s))

        with self._changed:
            self._wait_for(there, timeout_s)
            return self._newest if there() else None

    def _take(self, item: Frame) -> None:
        now_s = time.monotonic()
        black = is_black(item.picture)
        with self._changed:
            self._newest = item
            if not black:
                self._seen_s = now_s
            # Many cameras begin with some black pictures, until they have set their exposure.
            if now_s - self._seen_s >= SAID_WITHIN_S:
                self._arrived(Status("black", f"{self.name}: the pictures are black; uncover the "
                                              "lens or make light"))
            else:
                self._arrived(Status("ok", f"{self.name} gives pictures"))

    def _forget(self) -> None:
        with self._changed:
            self._newest = None
            self._seen_s = time.monotonic()


def is_black(picture: npt.NDArray[np.uint8]) -> bool:
    """Whether nothing is to be seen: uint8 [height, width, 3]. Each eighth pixel is looked at."""
    return float(np.mean(picture[::8, ::8].max(axis=-1) > BLACK_LEVEL)) < _LIT_SHARE


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


_ESCAPED = "write @ as %40, # as %23, / as %2F and ? as %3F where they do not divide it"


def split_address(text: str, schemes: Collection[str]) -> SplitResult:
    """Its parts. ValueError, which shows nothing of it, says what was found in its place.

    An @ behind the host is refused: with it, a password that holds # / or ? would be taken for a
    host, and shown.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("an address without a host, or with a port that is no number from 1 to "
                         f"65535; {_ESCAPED}") from None
    if parts.scheme not in schemes or not parts.hostname or not text.isprintable():
        raise ValueError(f"no address that begins with {' or '.join(f'{s}://' for s in schemes)} "
                         "and a host")
    if port == 0 or "@" in text.partition("//")[2][len(parts.netloc):]:
        raise ValueError("an address with an @ behind the host, or the port 0, which may be a part "
                         f"of a password; {_ESCAPED}")
    return parts


def shown_address(parts: SplitResult) -> str:
    """Its scheme, host and port."""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
