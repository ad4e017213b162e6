"""A source: a thread that opens a device, reads it, and opens it again whenever it is lost.

The thread alone touches the device, so that a driver that hangs, hangs nobody else. How a device
is opened, read and closed is a generator: it yields what arrives, raises DeviceError when the
device is lost, and ends when a file has been played. How the device is, is one word of a written
list for programs, and one line for people.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Generic, Literal, Self, TypeVar

from edge_runtime.errors import CaptureError, UsageError

STALE_S = 2.0  # what is older is not given out: whoever it shows may have gone
_FIRST_RETRY_S, _LAST_RETRY_S = 0.25, 2.0
_CLOSING_S = 2.0  # a driver that hangs is left to its thread

Item = TypeVar("Item")
Produce = Callable[[threading.Event], Generator[Item, None, None]]


class Source(Generic[Item]):
    """What cameras and microphones share: the thread, the status, and closing.

    produce: called with an event that says when to stop; see the module. A context manager, whose
    thread runs between `__enter__` and `close`.
    """

    def __init__(self, name: str, produce: Produce[Item]) -> None:
        self.name = name
        self._produce = produce
        self._stop = threading.Event()
        self._changed = threading.Condition()  # guards all that follows
        self._status = Status("starting", f"{name} is being opened")
        self._waiting_since_s = time.monotonic()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"visavox {name}", daemon=True)

    def __enter__(self) -> Self:
        if self._thread.ident is not None:
            raise UsageError(f"{self.name} has been opened before; make another source")
        self._waiting_since_s = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading and close the device. Returns within 2 s, whatever the driver does."""
        self._stop.set()
        self._say("closed", f"{self.name} is closed")
        if self._thread.is_alive():
            self._thread.join(_CLOSING_S)

    @property
    def status(self) -> Status:
        """How the source is at this moment."""
        with self._changed:
            return self._current_status()

    def _current_status(self) -> Status:
        """To be called with the lock held."""
        waited = time.monotonic() - self._waiting_since_s
        if self._status.state in ("starting", "ok", "black", "silent") and waited > SAID_WITHIN_S:
            return Status("stalled", f"{self.name} has given nothing for {waited:.0f} s; check "
                                     "whether another program uses it, its cable, or its address")
        return self._status

    def _run(self) -> None:
        retry_s = _FIRST_RETRY_S
        while not self._stop.is_set():
            got_something = False
            try:
                with closing(self._produce(self._stop)) as items:
                    self._forget()
                    for item in items:
                        if self._stop.is_set():
                            return
                        got_something = True
                        self._take(item)
                self._say("ended", f"{self.name} has ended")
                return
            except DeviceError as problem:
                self._say(problem.state, str(problem))
                if problem.state in FINAL:
                    return
            except BaseException as fault:  # of ours: whoever reads shall see it, not stderr
                self._fault = fault
                self._say("failed", f"{self.name}: {type(fault).__name__}: {fault}")
                return
            retry_s = _FIRST_RETRY_S if got_something else min(2 * retry_s, _LAST_RETRY_S)
            self._stop.wait(retry_s)

    def _say(self, state: State, message: str) -> None:
        with self._changed:
            if self._status.state != "closed":  # the last word
                self._status = Status(state, message)
            self._changed.notify_all()

    def _arrived(self, status: Status) -> None:
        """Something has arrived; to be called with the lock held."""
        self._waiting_since_s = time.monotonic()
        if self._status.state != "closed":
            self._status = status
        self._changed.notify_all()

    def _wait_for(self, there: Callable[[], bool], timeout_s: float) -> None:
        """Wait until `there` or nothing can come any more; to be called with the lock held."""
        self._changed.wait_for(lambda: there() or self._status.state in FINAL, max(timeout_s, 0.0))
        if self._fault is not None:
            raise self._fault

    def _take(self, item: Item) -> None:
        raise NotImplementedError

    def _forget(self) -> None:
        """The device is opened anew: what comes does not go on from what came before."""


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
