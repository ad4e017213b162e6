"""Which names are taken, and which count as the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.console.terminal import printable
from edge_runtime.errors import GalleryError
from edge_runtime.files import (
    MAX_CONSENT,
    MAX_NAME,
    checked_consent,
    checked_name,
    name_key,
    shown,
)

ANY_TEXT = st.text(st.characters(), max_size=3 * MAX_NAME)  # surrogates too


@pytest.mark.parametrize("name", ["Anna", "Åsa Lindström", "李小龙", "محمد", "O'Neill", "J. R. Doe",
                                  "7", "\u06a9\u062a\u0627\u0628\u200c\u0647\u0627",
                                  "x" * MAX_NAME])
def test_names_that_are_taken(name: str) -> None:
    assert checked_name(name) == name


def test_spaces_around_and_decomposed_letters() -> None:
    assert checked_name("  Anna \t") == "Anna"
    assert checked_name("A\u030asa") == "Åsa"
    assert checked_name("Anna \u00a0\u3000 B.") == "Anna B."
    assert checked_name("Anna\r\n") == "Anna"


def test_a_stranger_may_be_called_nobody() -> None:
    assert checked_name(" nobody", stranger=True) == "nobody"


def test_an_emoji_beside_letters() -> None:
    assert checked_name("Anna \u2764\ufe0f") == "Anna \u2764\ufe0f"


@pytest.mark.parametrize(("name", "reason"), [
    ("", "a letter or a digit"), ("   ", "a letter or a digit"), ("..", "a letter or a digit"),
    ("🙂", "a letter or a digit"), ("a/b", "without slashes"), ("a\\b", "without slashes"),
    ("../../etc/passwd", "without slashes"), ("x" * (MAX_NAME + 1), "at most 100 characters"),
    ("x" * 10_000, "at most 100 characters, found 10000"), ("a\nb", "without control characters"),
    ("a\x00b", "without control characters"), ("a\x1b[31mb", "without control characters"),
    ("a\u202eb", "without control characters"), ("a\ud800b", "in UTF-8"), ("a\udcfcb", "in UTF-8"),
    ("a\u2028b", "without control characters"), ("a\u200bb", "without control characters"),
    ("a\ufeffb", "without control characters"), ("\u3164", "without control characters"),
    ("a\u115fb", "without control characters"), ("a\ufe01b", "without control characters"),
    ("a\ue000b", "without control characters"), ("unknown", "stands for nobody"),
    ("Unavailable", "stands for nobody"), (" NONE ", "stands for nobody"),
    ("n\u043ebody", "stands for nobody"),
])
def test_names_that_are_refused(name: str, reason: str) -> None:
    with pytest.raises(GalleryError, match=reason) as caught:
        checked_name(name)
    assert len(str(caught.value)) < 200 and printable(str(caught.value)) == str(caught.value)


@given(ANY_TEXT)
def test_any_text_is_a_fit_name_or_refused_in_one_line(text: str) -> None:
    try:
        name = checked_name(text)
    except GalleryError as error:
        assert printable(str(error)) == str(error) and len(str(error)) < 500
        return
    assert checked_name(name) == name
    assert 0 < len(name) <= MAX_NAME and "/" not in name and "\\" not in name
    assert name.split() == unicodedata.normalize("NFC", text).split()
    assert unicodedata.is_normalized("NFC", name) and "  " not in name and name == name.strip()
    assert name.encode().decode() == name
    assert name_key(name)


@given(ANY_TEXT)
def test_what_is_shown_fits_a_line(text: str) -> None:
    assert printable(shown(text)) == shown(text) and len(shown(text)) < 400


def test_the_same_name() -> None:
    for one, other in (("Anna", "ANNA"), ("Anna", "\uff21\uff4e\uff4e\uff41"), ("Åsa", "A\u030asa"),
                       ("An na", "An \u00a0 na"), ("straße", "STRASSE"), ("a\u200cb", "ab")):
        assert name_key(one) == name_key(other)
    assert name_key("Anna") != name_key("Anne")


@pytest.mark.parametrize(("one", "other"), [
    ("Anna", "\u0410nn\u0430"), ("Hans", "\u041dans"), ("Zoë", "Zo\u0451"),
    ("Toma", "\u03a4\u03bf\u03bca"), ("Ali", "Al\u0131"), ("Anna", "Anna\ufe0f"),
    ("Anna", "An\u200dna"),
])
def test_names_that_look_the_same(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)
    assert name_key(one.upper()) == name_key(other)


@given(ANY_TEXT)
def test_a_key_is_its_own_key(text: str) -> None:
    assert name_key(name_key(text)) == name_key(text)


def test_consent() -> None:
    assert checked_consent(None) is None
    assert checked_consent("yes\nto faces") == "yes\nto faces"
    assert checked_consent(" Zoe\u0308 agrees,\r\ntoday \n") == "Zoë agrees,\ntoday"
    with pytest.raises(GalleryError, match="control characters"):
        checked_consent("yes \x1b[2J")
    for text in ("", "  ", "x" * (MAX_CONSENT + 1)):
        with pytest.raises(GalleryError, match="expected a consent text of 1 to 10000"):
            checked_consent(text)
    with pytest.raises(GalleryError, match="UTF-8"):
        checked_consent("yes \udcff")
