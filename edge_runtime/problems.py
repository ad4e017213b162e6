"""Problems with data, a line each, told so that a person reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edge_runtime.terminal import printable

_NAMED = 3  # of a kind, where there are many


def problem_report(problems: Sequence[str]) -> str:
    """One report of all problems, a line each; of many of a kind the first few and their number."""
    kinds: dict[str, list[str]] = {}
    for problem in problems:
        kinds.setdefault(_kind(problem), []).append(printable(problem))
    lines = [f"{len(problems)} problem{'s' * (len(problems) != 1)} in the data:"]
    for alike in kinds.values():
        few = len(alike) <= _NAMED + 1
        lines += [f"  - {problem}" for problem in (alike if few else alike[:_NAMED])]
        lines += [] if few else [f"    and {len(alike) - _NAMED} more like it"]
    return "\n".join(lines)


def _kind(problem: str) -> str:
    """A problem without what it tells of one file: the path in front, numbers, what is quoted."""
    return re.sub(r"\(.*?\)|'.*?'|\S*[\d/]\S*", "", problem.partition(": ")[2] or problem)


def because(problems: Sequence[str]) -> str:
    """The first problem, for the end of a message, and how many there are more."""
    if not problems:
        return ""
    more = f" (and {len(problems) - 1} more problems)" if len(problems) > 1 else ""
    return f"; {problems[0]}{more}"
