"""How a source is: one word of a written list for programs, one line for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge_runtime.errors import CaptureError

State = Literal[
    "starting",  # being opened, for no longer than SAID_WITHIN_S
    "ok",
    "black",     # pictures arrive, all black
    "silent",    # sound arrives, without a signal
    "stalled",   # open, or being opened, and nothing arrives
    "missing",   # no such device or address: not there, unplugged, switched off
    "busy",      # another program has it
    "denied",    # this user may not open it
    "ended",     # a file has been played to its end
    "failed",    # will not mend itself: a damaged file, a library that is not installed
    "closed",
]
FINAL: frozenset[State] = frozenset({"ended", "failed", "closed"})  # nothing comes after these
SAID_WITHIN_S = 1.5  # after which nothing, black or silence is said to be so; 2 s are promised


@dataclass(frozen=True)
class Status:
    """state: see State. message: one line, which says what to do unless all is well."""

    state: State
    message: str


class DeviceError(CaptureError):
    """Why a device gives nothing now. It is tried again, unless the state is `failed`."""

    def __init__(self, state: State, message: str) -> None:
        super().__init__(message)
        self.state: State = state


# Words in what drivers and programs say, most telling first.
_WORDS: tuple[tuple[str, State], ...] = (
    ("permission", "denied"), ("not permitted", "denied"),
    ("busy", "busy"), ("in use", "busy"), ("failed to acquire", "busy"), ("unavailable", "busy"),
)
_REMEDIES: dict[State, str] = {
    "denied": "give this user the right to it (Debian: the groups video and audio)",
    "busy": "end the other program that uses it",
    "missing": "plug it in; 'visavox devices' lists what there is",
}


def device_error(name: str, said: str) -> DeviceError:
    """What a driver or a program said about the device `name`, as a state and one line."""
    said = " ".join(said.split()).rstrip(".") or "it gave no reason"
    state: State = next((state for word, state in _WORDS if word in said.lower()), "missing")
    return DeviceError(state, f"{name}: {said}; {_REMEDIES[state]}")
