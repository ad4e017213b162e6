"""Text that people type: which names are taken, and when two names are the same.

One rule for folders and split.csv, for `enroll` and imports, for the kiosk, and, in
phone/samples.js, for the phone, which golden vectors hold to it.
"""

from __future__ import annotations

import re
import unicodedata

from edge_runtime.errors import GalleryError
from edge_runtime.terminal import JOINERS, printable

MAX_NAME = 100  # characters
MAX_CONSENT = 10_000  # characters
_SHOWN = 30  # characters of a name in a message

# What Home Assistant and our own messages say where nobody is named.
RESERVED = ("unknown", "unavailable", "none", "nobody")
# Every invisible character but _JOINERS is refused. Those that Unicode calls letters or marks:
# fillers, the grapheme joiner, selectors of variants (an emoji's U+FE0F apart).
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0"
                    "\ufe00-\ufe0e\U000e0100-\U000e01ef]")
_EMOJI_STYLE = "\ufe0f"
_SPACES = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")  # category Zs
_AROUND = " \t\r\n"

# Letters that look like a Latin one in small or as capitals, by Unicode's confusables (UTS #39):
# Cyrillic, Greek, and the dotless i.
_ALIKE = str.maketrans("авекмнорстухѕіјһԁԛԝ" "αβεζηικμνορτυχ" "\u0131",
                       "abekmhopctyxsijhdqw" "abezhikmvoptyx" "i")


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
            or (unicodedata.category(character) in _INVISIBLE and character not in JOINERS))


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
    alike = unicodedata.normalize("NFKD", folded).translate(_ALIKE)
    seen = "".join(c for c in alike if c not in JOINERS and c != _EMOJI_STYLE)
    return " ".join(unicodedata.normalize("NFKC", seen).split())


def shown(name: str) -> str:
    """A name for a message: quoted, on one line, and not longer than a line can bear."""
    return f"'{printable(name if len(name) <= _SHOWN else f'{name[:_SHOWN]}...')}'"
