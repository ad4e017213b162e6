"""Every check, one after the other, none of which stops or holds up the others."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence

from edge_runtime.doctor import bundles, cameras, hardware, microphones, software
from edge_runtime.doctor.finding import Check, Finding, Problem
from edge_runtime.doctor.machine import Machine

_LIMIT_S = 60.0  # of one check: more than all that it waits for takes together

NOT_READABLE = Problem("not-readable", "fault", "a file or folder that this user cannot read")
CHECK_BROKEN = Problem("check-broken", "warning", "a check that itself fails")
CHECK_STUCK = Problem("check-stuck", "warning", f"a check that is not done within {_LIMIT_S:.0f} "
                      "s, such as a driver or a network drive that hangs")

CHECKS: tuple[Check, ...] = (
    *hardware.CHECKS, *software.SYSTEM_CHECKS, *software.CHECKS, *software.LIBRARY_CHECKS,
    *cameras.CHECKS, *microphones.CHECKS, *bundles.CHECKS, *bundles.GALLERY_CHECKS)
PROBLEMS: tuple[Problem, ...] = (
    *(problem for check in CHECKS for problem in check.problems),
    NOT_READABLE, CHECK_BROKEN, CHECK_STUCK)


def examine(
    machine: Machine, checks: Sequence[Check] = CHECKS, limit_s: float = _LIMIT_S
) -> Iterator[Finding]:
    """What each of the checks finds, which takes at most `limit_s` for each."""
    for check in checks:
        yield from _findings(machine, check, limit_s)


def _findings(machine: Machine, check: Check, limit_s: float) -> Iterator[Finding]:
    found: queue.SimpleQueue[Finding | None] = queue.SimpleQueue()

    def look() -> None:
        try:
            for finding in check.look(machine):
                found.put(finding)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            found.put(NOT_READABLE.found(
                f"{where}{error.strerror or error}, while the check '{check.name}' looked",
                "give this user the right to read it; 'namei -l FILE' shows where it ends"))
        except Exception as error:
            found.put(CHECK_BROKEN.found(
                f"the check '{check.name}' itself has failed: {type(error).__name__}: {error}",
                "report this line and what 'visavox doctor --json' prints to those who make "
                "visavox"))
        found.put(None)

    end_s = time.monotonic() + limit_s
    # A thread that hangs in a driver is left behind.
    threading.Thread(target=look, name=f"visavox {check.name}", daemon=True).start()
    while True:
        try:
            finding = found.get(timeout=max(0.0, end_s - time.monotonic()))
        except queue.Empty:
            yield CHECK_STUCK.found(f"the check '{check.name}' is not done within {limit_s:.0f} s",
                                    "unplug what is named, or restart, and ask again")
            return
        if finding is None:
            return
        yield finding
