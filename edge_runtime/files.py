"""Text as people write it: one rule for every file that somebody may have edited.

UTF-8, with or without a byte order mark, and UTF-16 and UTF-32 with one, as Windows' editors and
spreadsheets write them; lines end with any of LF, CRLF and CR. What is something else is refused
in one line: a guess (Latin-1?) would change names and passwords without a word.
"""

from __future__ import annotations

import codecs
from pathlib import Path

from edge_runtime.errors import UsageError, VisavoxError

MAX_BYTES = 64 * 2**20  # of a text file; more is something else, such as /dev/zero
_MARKS = (  # UTF-32's mark begins with UTF-16's
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"), (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"))


def read_text(
    file: Path, expected: str, error: type[VisavoxError] = UsageError, remedy: str = ""
) -> str:
    """The text in `file`, its lines ended by LF.

    expected: what it is to be, for messages ("a list of names"). remedy: what to do where it cannot
    be read. Raises `error` where it cannot be read, and where it is no text.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as problem:  # ValueError: a zero byte in its name
        reason = getattr(problem, "strerror", None) or problem
        raise error(_refusal(str(file), expected, str(reason), remedy)) from None
    return as_text(content, str(file), expected, error, remedy)


def as_text(
    content: bytes, where: str, expected: str, error: type[VisavoxError] = UsageError,
    remedy: str = "",
) -> str:
    """The same of a file's content. where: the file, for messages."""
    if len(content) > MAX_BYTES:
        raise error(_refusal(where, expected, f"more than {MAX_BYTES >> 20} MiB", remedy))
    mark, encoding = next((known for known in _MARKS if content.startswith(known[0])),
                          (b"", "utf-8"))
    content = content[len(mark):]
    found, text = "", ""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as problem:
        line = _lines(content[:problem.start].decode(encoding)).count("\n") + 1
        found = f"the byte 0x{content[problem.start]:02x} in line {line}"
    if "\0" in text:
        found = "zero bytes, as UTF-16 without a byte order mark has them"
    if found:
        save = "save it as UTF-8" + (f", or {remedy}" if remedy else "")
        raise error(_refusal(where, f"{expected} in UTF-8", found, save))
    return _lines(text)


def read_secret(file: Path, expected: str, error: type[VisavoxError] = UsageError) -> str:
    """The one line in `file`, such as a password, without the spaces around it."""
    secret = read_text(file, expected, error).strip()
    if not secret or not secret.isprintable():
        found = "nothing" if not secret else "several lines, or characters that cannot be seen"
        raise error(f"{file}: expected {expected} on one line, found {found}")
    return secret


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _refusal(where: str, expected: str, found: str, remedy: str) -> str:
    return f"{where}: expected {expected}, found {found}" + (f"; {remedy}" if remedy else "")
