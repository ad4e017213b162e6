"""Text files as people, editors and spreadsheets write them; one line for what is no text."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from edge_runtime.errors import PeopleError, UsageError
from edge_runtime.files import read_secret, read_text

TEXT = "Zoë\nAnna\n"


@pytest.mark.parametrize("content", [
    TEXT.encode(), codecs.BOM_UTF8 + TEXT.encode(), TEXT.replace("\n", "\r\n").encode(),
    TEXT.replace("\n", "\r").encode(), codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
    codecs.BOM_UTF16_BE + TEXT.replace("\n", "\r\n").encode("utf-16-be"),
    codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be")])
def test_every_way_of_writing_it_is_read(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "names.txt"
    file.write_bytes(content)
    assert read_text(file, "a list of names") == TEXT


@pytest.mark.parametrize(("content", "message"), [
    (b"Anna\r\nZo\xeb\r\n", "names.txt: expected a list of names in UTF-8, found the byte 0xeb in "
     "line 2; save it as UTF-8"),
    ("Zoë".encode("utf-16-le"), "found the byte"),  # without a mark, and not ASCII
    ("Anna".encode("utf-16-le"), "found zero bytes"),
    (codecs.BOM_UTF16_LE + b"\x00\xd8", "in line 1"),  # one half of a pair
    (codecs.BOM_UTF8 + b"\xff", "in line 1")])
def test_what_is_no_text_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "names.txt"
    file.write_bytes(content)
    with pytest.raises(PeopleError) as caught:
        read_text(file, "a list of names", PeopleError)
    assert message in str(caught.value) and str(caught.value).isprintable()


@pytest.mark.parametrize(("name", "message"), [
    ("missing", "No such file or directory; name another"), (".", "Is a directory"),
    ("a\0b", "embedded null byte"), ("/dev/zero", "found more than 64 MiB")])
def test_what_cannot_be_read(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_text(tmp_path / name, "a list of names", remedy="name another")


def test_a_secret_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "password"
    for content in (b"s3cret \xc3\xab", b"s3cret \xc3\xab\r\n",
                    codecs.BOM_UTF8 + b"s3cret \xc3\xab\n"):
        file.write_bytes(content)
        assert read_secret(file, "a password") == "s3cret ë"
    for content in (b"", b" \r\n", b"one\ntwo\n", b"s3cret\x1b[2J"):
        file.write_bytes(content)
        with pytest.raises(UsageError, match="expected a password on one line") as caught:
            read_secret(file, "a password")
        assert "s3cret" not in str(caught.value) and "two" not in str(caught.value)
