"""`visavox export` and `import`: there and back, and exports that do not open."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import sqlite3
from pathlib import Path

import pytest

from tests.edge_runtime.gallery_device import PASSPHRASE, Device


def test_to_another_device_and_back(anna: Device, tmp_path: Path) -> None:
    file = tmp_path / "people.export"
    anna.run(*anna.enroll("Ben", 2))
    said = anna.run("export", "--gallery", anna.gallery, "--out", file, **PASSPHRASE)
    assert said.startswith(f"2 people are in {file}")
    other = ("--bundle", anna.bundle, "--gallery", tmp_path / "other" / "gallery.db")
    key = {"VISAVOX_DEVICE_KEY": base64.b64encode(bytes(range(32))).decode()}
    assert anna.run("import", file, *other, **PASSPHRASE, **key) == "2 people are imported\n"
    said = json.loads(anna.run("import", file, *other, "--json", **PASSPHRASE, **key))
    assert said == {"people": [], "skipped": {"Anna": "the name is enrolled already",
                                              "Ben": "the name is enrolled already"}}
    anna.check_intact("Anna", "Ben")


def test_exports_that_do_not_open(anna: Device, tmp_path: Path) -> None:
    file = tmp_path / "people.export"
    out = ("export", "--gallery", anna.gallery, "--out", file)
    assert "at least 8 characters" in anna.mistake(*out, VISAVOX_PASSPHRASE="short")
    assert "a terminal to ask on, found neither" in anna.mistake(*out)
    assert not file.exists()
    anna.run(*out, **PASSPHRASE)
    whole = file.read_bytes()
    assert str(file) in anna.mistake(*out, **PASSPHRASE)
    assert file.read_bytes() == whole
    into = ("--bundle", anna.bundle, "--gallery", anna.gallery)
    assert f"{file}: the passphrase is wrong" in anna.mistake("import", file, *into,
                                                              VISAVOX_PASSPHRASE="wrong horse")
    file.write_bytes(whole[: len(whole) // 2])
    assert "cut short or damaged" in anna.mistake("import", file, *into, **PASSPHRASE)
    file.write_bytes(whole[:-1] + b"\0")
    assert "the export is damaged" in anna.mistake("import", file, *into, **PASSPHRASE)
    assert "found none" in anna.mistake("import", tmp_path / "nowhere", *into, **PASSPHRASE)
    elsewhere = ("--bundle", anna.bundle, "--gallery", tmp_path / "new.db")
    anna.mistake("import", file, *elsewhere, **PASSPHRASE)
    assert not (tmp_path / "new.db").exists()
    anna.check_intact("Anna")


@pytest.mark.parametrize(("second", "code"), [("correct horse", 0), ("correct house", 2)])
def test_a_passphrase_at_a_terminal(
    anna: Device, tmp_path: Path, second: str, code: int
) -> None:
    file = tmp_path / "people.export"
    terminal, tty = os.openpty()
    with anna.start("export", "--gallery", anna.gallery, "--out", file, stdin=tty) as child:
        assert child.stderr
        for prompt, answer in (("passphrase of the export: ", "correct horse"),
                               ("the same again: ", second)):
            asked = ""
            while prompt not in asked:  # what is typed before is thrown away
                asked += child.stderr.read(1)
            os.write(terminal, f"{answer}\n".encode())
        _, err = child.communicate(timeout=300)
    assert child.returncode == code and file.exists() == (code == 0), err
    assert ("the two passphrases differ" in err) == (code == 2)


def test_a_full_disk_while_exporting(anna: Device, small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(508 * 1024))
    message = anna.mistake("export", "--gallery", anna.gallery, "--out", small_disk / "x",
                           **PASSPHRASE)
    assert "make room" in message and not (small_disk / "x").exists()
    anna.check_intact("Anna")


def test_an_export_that_the_log_has_no_room_for_is_taken_back(
    anna: Device, tmp_path: Path
) -> None:
    file, log = tmp_path / "people.export", Path(f"{anna.gallery}-wal")
    anna.environment |= PASSPHRASE
    with contextlib.closing(sqlite3.connect(anna.gallery, isolation_level=None)) as keeper:
        [(enrolled,)] = keeper.execute("SELECT enrolled FROM people")
        for text in [*"abcdefghij", enrolled]:  # fill the -wal with more than the export takes
            keeper.execute("UPDATE people SET enrolled = ?", (text,))
        assert log.stat().st_size > 33_000
        message = anna.mistake_of_child("export", "--gallery", anna.gallery, "--out", file,
                                        limit_bytes=log.stat().st_size + 4096)
    assert "make room" in message and not file.exists()
    anna.check_intact("Anna")
    assert json.loads(anna.run("audit", "--gallery", anna.gallery, "--json"))["entries"][-1][
        "event"] == "enrolled"
