"""A look at a camera or microphone that is opened for it, and the problems of both."""

from __future__ import annotations

import time

from edge_runtime.capture.camera import Camera
from edge_runtime.capture.microphone import Microphone
from edge_runtime.capture.status import State, Status

_LOOK_S = 6.0  # a Raspberry Pi's camera takes some 2 s to start, and black or silence 1.5 to show
_WELL_S = 2.0  # of "ok", after which neither black nor silence is to be expected
_SETTLED: tuple[State, ...] = ("black", "silent", "missing", "busy", "denied", "ended", "failed")


def settled_status(source: Camera | Microphone) -> Status:
    """How a source is, once that is plain: opened, looked at for at most 6 s, and closed."""
    with source:
        begun_s = time.monotonic()
        well_since_s = None
        while True:
            now_s, status = time.monotonic(), source.status
            well_since_s = (well_since_s or now_s) if status.state == "ok" else None
            if (status.state in _SETTLED or now_s - begun_s >= _LOOK_S
                    or (well_since_s is not None and now_s - well_since_s >= _WELL_S)):
                return status
            time.sleep(0.05)


def parted(message: str) -> tuple[str, str]:
    """The line of a status or an error, as what was found and what to do."""
    found, _, fix = message.partition("; ")
    return found, fix or "report this line to those who make visavox"
