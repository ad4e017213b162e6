"""An export opens with its passphrase alone, whole and unchanged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import GalleryError
from edge_runtime.gallery import export
from edge_runtime.gallery.export import (
    Carried,
    CarriedPerson,
    CarriedSample,
    packed,
    read_export,
    unpacked,
    write_export,
)

PASSPHRASE = "correct horse"
TIME = "2026-11-25T01:00:00+00:00"
CONTENT = Carried(networks={"face": "0" * 64}, people=[CarriedPerson(
    name="Anna", consent=None, enrolled=TIME, samples=[CarriedSample(
        kind="template", modality="face", embedding=np.ones(4, "<f4").tobytes(), added=TIME)])])


@pytest.fixture(scope="module")
def whole() -> bytes:
    return packed(CONTENT, PASSPHRASE)


def test_round_trip(whole: bytes) -> None:
    assert unpacked(whole, PASSPHRASE) == CONTENT
    assert b"Anna" not in whole
    assert packed(CONTENT, PASSPHRASE) != whole  # salt and nonce are drawn anew


def test_a_wrong_passphrase(whole: bytes) -> None:
    for passphrase in ("", "Correct horse", PASSPHRASE + " "):
        with pytest.raises(GalleryError, match="the passphrase is wrong"):
            unpacked(whole, passphrase)


def test_every_cut_is_seen(whole: bytes) -> None:
    for size in range(len(whole)):
        with pytest.raises(GalleryError, match="another kind" if size < 8 else "cut short"):
            unpacked(whole[:size], PASSPHRASE)
    with pytest.raises(GalleryError, match="cut short or damaged"):
        unpacked(whole + b"\0", PASSPHRASE)


@pytest.mark.parametrize("place", [0, 7, 8, 15, 16, 31, 32, 47, 48, 59, 60, -17, -1])
def test_every_change_is_seen(whole: bytes, place: int) -> None:
    changed = bytearray(whole)
    changed[place] ^= 1
    with pytest.raises(GalleryError):
        unpacked(bytes(changed), PASSPHRASE)


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(GalleryError, match="at least 8 characters, found 7"):
        packed(CONTENT, "1234567")


def test_contents_of_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export.msgspec.msgpack, "encode", lambda _: b"\x81\xa1x\x01")
    other = packed(CONTENT, PASSPHRASE)
    monkeypatch.undo()
    with pytest.raises(GalleryError, match="expected an export of this version"):
        unpacked(other, PASSPHRASE)


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "people.export"
    write_export(file, CONTENT, PASSPHRASE)
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_export(file, PASSPHRASE) == CONTENT
    before = file.read_bytes()
    with pytest.raises(FileExistsError):
        write_export(file, CONTENT, PASSPHRASE)
    assert file.read_bytes() == before
    for other in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(GalleryError, match="found none"):
            read_export(other, PASSPHRASE)
    with pytest.raises(GalleryError, match=f"^{file}: the passphrase is wrong"):
        read_export(file, "another one")
