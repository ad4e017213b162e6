"""The live view: a multipart stream of JPEG pictures, as browsers show it in an <img>."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
from starlette.concurrency import run_in_threadpool

from edge_runtime.apps.kiosk.events import TooManyClientsError
from edge_runtime.apps.kiosk.station import Station
from edge_runtime.capture.camera import Frame
from edge_runtime.signals.detection import opencv

MAX_VIEWERS = 3
MEDIA_TYPE = "multipart/x-mixed-replace; boundary=picture"
_BOUNDARY = "picture"
_QUALITY = 80
_MIN_S = 0.08  # between two pictures
_WAIT_S = 1.0


def jpeg(picture: npt.NDArray[np.uint8]) -> bytes:
    """RGB, uint8 [height, width, 3], as JPEG."""
    cv2 = opencv()
    _, content = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]),
                              [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return bytes(content)


class LiveView:
    """What the page shows; at most MAX_VIEWERS at a time."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self.viewers = 0
        self.closed = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """One more who looks. Raises TooManyClientsError."""
        if self.viewers >= MAX_VIEWERS:
            raise TooManyClientsError(f"{MAX_VIEWERS} pages show the camera's picture already; "
                                      "close one of them")
        self.viewers += 1
        try:
            yield
        finally:
            self.viewers -= 1

    async def parts(self) -> AsyncIterator[bytes]:
        frame: Frame | None = None
        yield f"--{_BOUNDARY}\r\n".encode()
        while not self.closed:
            newer = await run_in_threadpool(self._station.frame, _WAIT_S, frame)
            if newer is None or (frame and newer.at_s - frame.at_s < _MIN_S):
                continue
            frame = newer
            content = await run_in_threadpool(jpeg, frame.picture)
            # The next boundary comes with the picture: a browser shows it no sooner.
            yield (f"Content-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n"
                   ).encode() + content + f"\r\n--{_BOUNDARY}\r\n".encode()
