"""Which names people are enrolled under, and when two names are the same."""

from __future__ import annotations

import unicodedata

from edge_runtime.errors import GalleryError

MAX_NAME = 100  # characters
MAX_CONSENT = 10_000  # characters
_SHOWN = 30  # characters of a name in a message

# Joiners that Persian and Indian scripts write with; every other invisible character is refused.
_JOINERS = "\u200c\u200d"
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")


def checked_name(name: str) -> str:
    """The name as it is stored: composed (NFC), without spaces around it.

    Raises GalleryError where it is too long, has no letter or digit, or holds a slash or a
    character that cannot be seen.
    """
    name = unicodedata.normalize("NFC", name).strip()
    if len(name) > MAX_NAME:
        raise GalleryError(f"expected a name of at most {MAX_NAME} characters, found {len(name)} "
                           f"({shown(name)}); choose a shorter one")
    if not any(character.isalnum() for character in name):
        raise GalleryError(f"expected a name with a letter or a digit, found {shown(name)}; "
                           "choose another one")
    for character in name:
        if character in "/\\":
            raise GalleryError(f"expected a name without slashes, found {shown(name)}; choose "
                               "another one")
        if unicodedata.category(character) in _INVISIBLE and character not in _JOINERS:
            raise GalleryError("expected a name without control characters, found "
                               f"{character!a} in {shown(name)}; choose another one")
    return name


def checked_consent(consent: str | None) -> str | None:
    """The text as it is; GalleryError where it is too long, empty or not text."""
    if consent is None:
        return None
    if not consent.strip() or len(consent) > MAX_CONSENT:
        raise GalleryError(f"expected a consent text of 1 to {MAX_CONSENT} characters, found "
                           f"{len(consent.strip())}; shorten it, or leave --consent out")
    if any(unicodedata.category(character) == "Cs" for character in consent):
        raise GalleryError("expected a consent text in UTF-8, found bytes that are none")
    return consent


def name_key(name: str) -> str:
    """Equal for names that a reader would take for the same: case, width, spaces, joiners."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join("".join(c for c in folded if c not in _JOINERS).split())


def shown(name: str) -> str:
    """A name for a message: quoted, on one line, and not longer than a line can bear."""
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")
