"""Text on its way to a terminal: nothing in it steers the terminal, and what the terminal cannot
show is escaped. Names, paths and messages of files pass here and nowhere else.
"""

from __future__ import annotations

import contextlib
import os
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO, cast

JOINERS = "\u200c\u200d"  # Persian and Indian scripts are written with them
_FIRST_BYTE = 0xDC00  # how Python keeps a byte of a file's name that is no UTF-8


def printable(text: str, layout: str = "") -> str:
    """The text on one line, with escapes for control characters, for what would reverse or hide
    other characters, and for bytes that are not UTF-8. layout: characters left as they are."""
    if text.isprintable():
        return text
    return "".join(character if _shows(character) or character in layout else _escape(character)
                   for character in text)


def _shows(character: str) -> bool:
    return (character.isprintable() or character in JOINERS
            or unicodedata.category(character) == "Zs")


def _escape(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - _FIRST_BYTE:02x}"
    return character.encode("unicode_escape").decode()


class Screen:
    """A text stream to which only printable text is written, in lines. stream: the one beneath."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        encoding = self.stream.encoding or "utf-8"
        shown = printable(text, layout="\n\t")
        self.stream.write(shown.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextlib.contextmanager
def screens() -> Iterator[None]:
    """Standard output and standard error are screens meanwhile. What nobody reads to its end, as
    with `| head`, is thrown away at last."""
    _open_closed()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, Screen(beneath(stream))) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for stream in before:
            try:
                stream.flush()
            except OSError:  # or the interpreter would complain of it once more at its end
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextlib.contextmanager
def bare_output() -> Iterator[None]:
    """The streams beneath the screens, for libraries that draw progress bars of their own."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (beneath(stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def beneath(stream: TextIO) -> TextIO:
    """Where a progress bar may go back to the line's beginning."""
    return stream.stream if isinstance(stream, Screen) else stream


def _open_closed() -> None:
    """The number of a stream that was closed would be given to the next file that is opened, and
    what is printed would be written into that."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
