"""What commands print: tables, progress, problems with data, and figures as JSON.

JSON has the schema's version, what it is of, and what made it. What libraries say is kept away.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import math
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from edge_runtime import __version__
from edge_runtime.console.terminal import beneath, printable

# One thread at a time: all share standard error, and of two that overlap, the one that ends last
# would put back the other's silence, for good.
_SILENCE = threading.RLock()

_PLAIN_EVERY_S = 10.0  # a line of progress where there is no terminal

Item = TypeVar("Item")


@contextlib.contextmanager
def silenced_stderr() -> Iterator[None]:
    """Keep what compiled libraries write to standard error off the screen, unless they fail."""
    with _SILENCE, tempfile.TemporaryFile() as chatter:
        sys.stderr.flush()
        screen = os.dup(2)
        os.dup2(chatter.fileno(), 2)
        try:
            yield
        except BaseException:
            chatter.seek(0)
            os.write(screen, chatter.read())
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)


class Progress:
    """How far something is: on a terminal a line that is written over, elsewhere one of its own,
    now and then, so that a log has neither bars nor carriage returns."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._said_s = clock, clock()
        self._terminal, self._width = beneath(sys.stderr), 0

    def say(self, text: str) -> None:
        if self._terminal.isatty():  # the cursor goes back: what comes next is written over it
            print(text, end="\r", file=self._terminal, flush=True)
            self._width = len(text)
        elif self._clock() - self._said_s >= _PLAIN_EVERY_S:
            print(text, file=sys.stderr, flush=True)
            self._said_s = self._clock()

    def end(self) -> None:
        if self._width:  # by spaces: not every terminal knows how to clear a line
            print(" " * self._width, end="\r", file=self._terminal, flush=True)


def with_progress(
    items: Sequence[Item], doing: str, clock: Callable[[], float] = time.monotonic
) -> Iterator[Item]:
    """The items, with their count as progress."""
    progress = Progress(clock)
    for number, item in enumerate(items, 1):
        progress.say(f"{doing} {number}/{len(items)}")
        yield item
    progress.end()


def say_problems(problems: Sequence[str]) -> None:
    """What is left out of the data, on standard error."""
    if problems:
        print(problem_report(problems), file=sys.stderr, flush=True)


def print_json(content: dict[str, Any]) -> None:
    """One object on standard output."""
    print(json.dumps(finite(content), indent=2, allow_nan=False))


def finite(content: Any) -> Any:
    """What JSON knows: null in the place of numbers that are none, or infinite."""
    if isinstance(content, dict):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with padded columns, the first to the left and the others to the right."""
    lines = [[printable(cell) for cell in line] for line in (header, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    rule = ["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])]

    def padded(line: Sequence[str]) -> str:
        cells = [line[0].ljust(widths[0]),
                 *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))]
        return f"| {' | '.join(cells)} |"

    return "\n".join([padded(lines[0]), f"| {' | '.join(rule)} |", *map(padded, lines[1:])])


def counted(count: int, thing: str) -> str:
    """1 face, 2 faces."""
    return f"{count} {thing}{'s' * (count != 1)}"


def percent(share: float | None) -> str:
    """0.9474 -> 94.7; None -> a dash."""
    return "-" if share is None else f"{100 * share:.1f}"


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


SCHEMA = 1  # of result files; another one where a key is renamed, left out or means something else
_SHORT_LIST = re.compile(r"\[\n[^\[\]{}]*\]")  # strings hold no line breaks of their own


def stamped(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The content as a result of this kind: the command that makes it, such as `train evaluate`."""
    return {"schema": SCHEMA, "kind": kind,
            "made_by": {"command": _command(), "version": __version__,
                        "date": datetime.date.today().isoformat()}, **content}


def result_text(content: Mapping[str, Any]) -> str:
    """JSON in lines, lists of plain values on one."""
    return _SHORT_LIST.sub(lambda found: re.sub(r"\n\s*", " ", found[0]).replace("[ ", "[")
                           .replace(" ]", "]"), json.dumps(finite(content), indent=1,
                                                                allow_nan=False))


def print_result(kind: str, content: Mapping[str, Any]) -> None:
    """One object on standard output."""
    print(result_text(stamped(kind, content)))


def _command() -> str:
    """As it was given, of files and folders the names alone: where they lie is nobody's business;
    of an address, which may hold a password, the scheme."""
    script = Path(sys.argv[0])
    name = (f"python -m {script.parent.name}" if script.name == "__main__.py" else script.name)
    return printable(" ".join([name, *map(_shown, sys.argv[1:])]))


def _shown(word: str) -> str:
    scheme, address, _ = word.partition("://")
    if address:
        return f"{scheme}{address}..."
    return Path(word).name if "/" in word else word
