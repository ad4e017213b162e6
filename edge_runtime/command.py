"""What all command lines share: sub-commands, one line and exit code 2 for a person's mistake."""

from __future__ import annotations

import errno
import os
import signal
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_runtime import __version__
from edge_runtime.errors import VisavoxError
from edge_runtime.parser import Parser
from edge_runtime.terminal import printable, screens

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


