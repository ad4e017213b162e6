"""A source: a thread that opens a device, reads it, and opens it again whenever it is lost.

The thread alone touches the device, so that a driver that hangs, hangs nobody else. How a device
is opened, read and closed is a generator: it yields what arrives, raises DeviceError when the
device is lost, and ends when a file has been played.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Generic, Self, TypeVar

from edge_runtime.capture.status import FINAL, SAID_WITHIN_S, DeviceError, State, Status
from edge_runtime.errors import UsageError

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
