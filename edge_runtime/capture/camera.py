"""A camera: the newest picture, and how the camera is."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.capture.source import STALE_S, Produce, Source
from edge_runtime.capture.status import SAID_WITHIN_S, Status

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
