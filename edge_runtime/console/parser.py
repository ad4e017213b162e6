"""The command lines: sub-commands, options written in full with near misses named, a bundle by its
place or by its option, and one line and exit code 2 for a person's mistake.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
import tempfile
from argparse import SUPPRESS, Action, ArgumentParser, HelpFormatter, Namespace
from collections.abc import Callable, Collection, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from edge_runtime import __version__
from edge_runtime.console.terminal import printable, screens
from edge_runtime.errors import VisavoxError

_NUMBER = re.compile(r"-\.?\d")  # a value, and no option


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """' (did you mean X?)', or nothing where no known name is near."""
    names = {name.lstrip("-"): name for name in known}
    asked = word.lstrip("-").lower().replace("_", "-" if word.startswith("-") else "_")
    begun = [name for name in names if len(asked) > 1 and name.startswith(asked)]
    near = begun or get_close_matches(asked, names, n=2, cutoff=0.65)
    return f" (did you mean {' or '.join(names[name] for name in near)}?)" if near else ""


class Parser(ArgumentParser):
    """Says a mistake in one line, like everything else, and not the whole usage before it.

    Options are written in full: a part of one that is clear today may mean two things tomorrow, and
    a script would stop working, or do something else.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Help, **settings)
        self.commands: Collection[str] = ()
        self._placed: dict[str, tuple[Action, str | None]] = {}

    def add_bundle(self, *, required: bool, help: str) -> None:
        """BUNDLE, or --bundle BUNDLE."""
        self.add_argument("--bundle", type=Path, metavar="BUNDLE", help="the same, by its name")
        nargs = None if required else "?"
        place = self.add_argument("bundle", type=Path, nargs=nargs, metavar="BUNDLE", help=help)
        self._placed["--bundle"] = place, nargs

    def parse_known_args(  # type: ignore[override]  # argparse's own calls give no more than these
        self, args: Sequence[str] | None = None, namespace: Namespace | None = None
    ) -> tuple[Namespace, list[str]]:
        words = list(args or ())
        (self._check_command if self.commands else self._check_options)(words)
        given = {name_of(word) for word in words}
        for option, (place, nargs) in self._placed.items():
            # SUPPRESS takes no word; "?" for all would miss a bundle that stands behind an option.
            place.nargs, place.default = (SUPPRESS, SUPPRESS) if option in given else (nargs, None)
            place.required = place.nargs is None
        known, left = super().parse_known_args(words, namespace)
        if left and not self.commands:
            self.error(f"expected nothing more, found '{left[0]}'")
        return known, left

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {printable(message)}; '{self.prog} --help' says more\n")

    def _check_command(self, words: Sequence[str]) -> None:
        first = words[0] if words else ""
        if not first or first in self.commands or name_of(first) in self._option_string_actions:
            return
        hint = did_you_mean(first, [*self.commands, *self._option_string_actions])
        if hint or not first.startswith("-"):
            self.error(f"there is no command '{first}'{hint}")
        self.error(f"expected a command first, found '{first}'")

    def _check_options(self, words: Sequence[str]) -> None:
        for word in words:
            if word == "--":
                return
            if len(word) < 2 or not word.startswith("-") or " " in word or _NUMBER.match(word):
                continue
            if (name := name_of(word)) not in self._option_string_actions:
                hint = did_you_mean(name, self._option_string_actions)
                self.error(f"there is no option '{name}'{hint}")


def name_of(word: str) -> str:
    """--bundle=b -> --bundle."""
    return word.partition("=")[0]


class _Help(HelpFormatter):
    """Leaves lines that begin with blanks, such as examples, as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(line if line.startswith(" ") else super(_Help, self)._fill_text(
            line, width, indent) for line in text.splitlines())


# What a person can mend; any other error of the system is a fault of ours and shows its traceback.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR,
         errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG}
# What is said, without a file's name, where a place that every program counts on is missing.
_PLACES = {errno.ENOENT, errno.EACCES, errno.ENOSYS}


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
