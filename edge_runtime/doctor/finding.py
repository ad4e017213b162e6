"""What the doctor looks for, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from edge_runtime.doctor.machine import Machine

Severity = Literal["fault", "warning", "ok"]


@dataclass(frozen=True)
class Finding:
    """code: a problem's, or the name of a check where all is well. found, fix: one line each; the
    fix is empty where there is nothing to mend."""

    code: str
    severity: Severity
    found: str
    fix: str


@dataclass(frozen=True)
class Problem:
    """Something that the doctor looks for. A fault keeps Visavox, or what was named, from working;
    a warning makes it worse or slower."""

    code: str
    severity: Severity
    what: str

    def found(self, found: str, fix: str) -> Finding:
        """It is here: what was found, and what to do."""
        return Finding(self.code, self.severity, one_line(found), one_line(fix))


def well(name: str, found: str) -> Finding:
    """What the check `name` looked at is as it should be."""
    return Finding(name, "ok", one_line(found), "")


@dataclass(frozen=True)
class Check:
    """look: yields the problems that there are, or `well`, or nothing where it does not apply."""

    name: str
    look: Callable[[Machine], Iterator[Finding]]
    problems: tuple[Problem, ...]


def one_line(text: str) -> str:
    """What programs say may be of several lines."""
    return " ".join(text.split())
