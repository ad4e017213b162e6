"""What all command lines share: one line and exit code 2 for a person's mistake, plain tables."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import signal
import sys
import tempfile
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from edge_runtime import __version__
from edge_runtime.errors import VisavoxError
from edge_runtime.parser import Parser
from edge_runtime.problems import problem_report
from edge_runtime.terminal import beneath, printable, screens

# What a person can mend; any other error of the system is a fault of ours and shows its traceback.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR,
         errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG}
# What is said, without a file's name, where a place that every program counts on is missing.
_PLACES = {errno.ENOENT, errno.EACCES, errno.ENOSYS}

# One thread at a time: all share standard error, and of two that overlap, the one that ends last
# would put back the other's silence, for good.
_SILENCE = threading.RLock()

_PLAIN_EVERY_S = 10.0  # a line of progress where there is no terminal

Item = TypeVar("Item")


class Commands:
    """A command line of sub-commands: each adds its arguments and runs with them."""

    def __init__(self, prog: str, description: str, end: str = "") -> None:
        """end: what `--help` says at last."""
        codes = "Exit code 0 where it is done, 2 for a mistake of the user's, 130 where stopped."
        self.parser = Parser(prog=prog, description=description,
                             epilog=f"{end} {codes}".strip())
        self.parser.add_argument("--version", action="version", version=f"visavox {__version__}")
        subparsers = self.parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
        self._add_parser, self.parser.commands = subparsers.add_parser, subparsers.choices
        self.examples: list[str] = []

    def add(
        self, name: str, run: Callable[[Namespace], int | None], help: str, *, example: str,
        end: str = "",
    ) -> Parser:
        """A sub-command, which may return an exit code; the caller adds its arguments to the
        returned parser. example: its arguments; lines of it are commands of their own. end: what
        its `--help` says at last."""
        lines = [f"{self.parser.prog} {name} {line}".rstrip() for line in example.splitlines()]
        self.examples += lines
        shown = "\n".join(["for example:", *(f"  {line}" for line in lines)])
        parser: Parser = self._add_parser(name, help=help, description=help,
                                          epilog=f"{shown}\n\n{end}".strip())
        parser.set_defaults(run=run)
        return parser

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Run; the exit code is 0, the command's own, 2 for a mistake, which is said on standard
        error, or that of a signal."""
        with screens():
            try:
                return self._run(arguments)
            except BrokenPipeError:  # `| head` is no mistake
                return 128 + signal.SIGPIPE

    def _run(self, arguments: Sequence[str] | None) -> int:
        try:
            options = self.parser.parse_args(sys.argv[1:] if arguments is None else arguments)
            code: int = options.run(options) or 0
            sys.stdout.flush()
            return code
        except VisavoxError as error:
            return self._refused(str(error))
        except BrokenPipeError:
            raise
        except OSError as error:
            if (mistake := _mistake(error)) is None:
                raise
            return self._refused(mistake)
        except KeyboardInterrupt:
            self._refused("stopped")
            return 128 + signal.SIGINT

    def _refused(self, message: str) -> int:
        print(f"{self.parser.prog}: {printable(message)}", file=sys.stderr, flush=True)
        return 2


def _mistake(error: OSError) -> str | None:
    """What a person can mend, in one line; None for a fault of ours."""
    if error.errno in _DISK and error.filename:
        return f"{error.filename}: {error.strerror}; make room or name another place"
    if error.filename is None and error.errno in _PLACES:
        try:
            Path.cwd()
        except OSError:
            return "the current folder is gone; go to another one"
        try:
            tempfile.gettempdir()
        except OSError:
            return ("expected a folder for temporary files, found none that can be written; set "
                    "TMPDIR to one")
        if not os.access("/dev/shm", os.W_OK):
            return ("expected memory that processes share, found no /dev/shm that can be written; "
                    "mount it, or leave out --jobs")
    if error.errno in _DISK:
        return f"{error.strerror}; make room or name another place"
    return None


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
