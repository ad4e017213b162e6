"""Files that people write, the folders where a user's own files are, and names that people type.

Text is UTF-8, with or without a byte order mark, and UTF-16 and UTF-32 with one, as Windows'
editors and spreadsheets write them; lines end with any of LF, CRLF and CR. What is something else
is refused in one line: a guess (Latin-1?) would change names and passwords without a word.

Folders follow the XDG Base Directory Specification.

Which names are taken, and when two are the same, is one rule for folders and split.csv, for
`enroll` and imports, for the kiosk, and, in phone/samples.js, for the phone, which golden vectors
hold to it.
"""

from __future__ import annotations

import codecs
import os
import re
import unicodedata
from pathlib import Path

from edge_runtime.console.terminal import JOINERS, printable
from edge_runtime.errors import GalleryError, UsageError, VisavoxError

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


def config_folder(remedy: str) -> Path:
    """Visavox's folder of keys and settings; UsageError with the remedy where nobody's home is
    known, as of a user without a line in /etc/passwd."""
    return _folder("XDG_CONFIG_HOME", ".config", remedy)


def cache_folder() -> Path:
    """Visavox's folder of what can be made again."""
    return _folder("XDG_CACHE_HOME", ".cache", "set HOME or XDG_CACHE_HOME")


def _folder(variable: str, below_home: str, remedy: str) -> Path:
    named = Path(os.environ.get(variable, ""))
    if named.is_absolute():  # the specification has others ignored
        return named / "visavox"
    try:
        return Path.home() / below_home / "visavox"
    except RuntimeError:
        raise UsageError("expected a home folder, found none for this user (HOME is not set); "
                         f"{remedy}") from None


MAX_NAME = 100  # characters
MAX_CONSENT = 10_000  # characters
_SHOWN = 30  # characters of a name in a message

# What Home Assistant and our own messages say where nobody is named.
RESERVED = ("unknown", "unavailable", "none", "nobody")
# Every invisible character but JOINERS is refused. Those that Unicode calls letters or marks:
# fillers, the grapheme joiner, selectors of variants (an emoji's U+FE0F apart).
INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
BLANK = ("\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0"
         "\ufe00-\ufe0e\U000e0100-\U000e01ef")
_BLANK = re.compile(f"[{BLANK}]")
EMOJI_STYLE = "\ufe0f"
_SPACES = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")  # category Zs
_AROUND = " \t\r\n"

# Letters that look like a Latin one in small or as capitals, by Unicode's confusables (UTS #39):
# Cyrillic, Greek, and the dotless i.
ALIKE = ("авекмнорстухѕіјһԁԛԝ" "αβεζηικμνορτυχ" "\u0131",
         "abekmhopctyxsijhdqw" "abezhikmvoptyx" "i")
_LATIN = str.maketrans(*ALIKE)


def clean(text: str) -> str:
    """Composed (NFC), with single spaces and none around it."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip(_AROUND)


def checked_name(name: str, *, stranger: bool = False) -> str:
    """The name as it is stored: `clean`.

    Raises GalleryError where it is too long, has no letter or digit, holds a slash or a character
    that cannot be seen, or, but for a `stranger`, stands for nobody.
    """
    name = clean(name)
    if len(name) > MAX_NAME:
        raise GalleryError(f"expected a name of at most {MAX_NAME} characters, found {len(name)} "
                           f"({shown(name)}); choose a shorter one")
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise GalleryError(f"expected a name in UTF-8, found bytes that are none in {shown(name)}; "
                           "choose another one")
    for character in name:
        if character in "/\\":
            raise GalleryError(f"expected a name without slashes, found {shown(name)}; choose "
                               "another one")
        if _cannot_be_seen(character):
            raise GalleryError("expected a name without control characters or others that cannot "
                               f"be seen, found {character!a} in {shown(name)}; choose another one")
    if not any(character.isalnum() for character in name):
        raise GalleryError(f"expected a name with a letter or a digit, found {shown(name)}; "
                           "choose another one")
    if name_key(name) in RESERVED and not stranger:
        raise GalleryError(f"expected a person's name, found {shown(name)}, which stands for "
                           "nobody, here or in Home Assistant; choose another one")
    return name


def _cannot_be_seen(character: str) -> bool:
    return (_BLANK.match(character) is not None
            or (unicodedata.category(character) in INVISIBLE and character not in JOINERS))


def checked_consent(consent: str | None) -> str | None:
    """The text composed (NFC), without spaces around it; GalleryError where it is too long, empty
    or not text."""
    if consent is None:
        return None
    text = unicodedata.normalize("NFC", consent.replace("\r\n", "\n")).strip()
    if not 1 <= len(text) <= MAX_CONSENT:
        raise GalleryError(f"expected a consent text of 1 to {MAX_CONSENT} characters, found "
                           f"{len(text)}; shorten it, or leave --consent out")
    for character in text:
        if unicodedata.category(character) == "Cs":
            raise GalleryError("expected a consent text in UTF-8, found bytes that are none")
        if unicodedata.category(character) == "Cc" and character not in "\n\t":
            raise GalleryError("expected a consent text without control characters, found "
                               f"{character!a}; leave it out")
    return text


def name_key(name: str) -> str:
    """Equal for names that a reader would take for the same: case, width, spaces, joiners, and
    letters of other scripts that look like Latin ones."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    alike = unicodedata.normalize("NFKD", folded).translate(_LATIN)
    seen = "".join(c for c in alike if c not in JOINERS and c != EMOJI_STYLE)
    return " ".join(unicodedata.normalize("NFKC", seen).split())


def shown(name: str) -> str:
    """A name for a message: quoted, on one line, and not longer than a line can bear."""
    return f"'{printable(name if len(name) <= _SHOWN else f'{name[:_SHOWN]}...')}'"
