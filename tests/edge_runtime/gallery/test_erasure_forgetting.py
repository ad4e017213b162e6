"""Nothing is left of who is forgotten, and what is left elsewhere is named."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edge_runtime.bundle.manifest import Manifest
from edge_runtime.gallery.export import read_export
from edge_runtime.gallery.samples import NewSample
from edge_runtime.gallery.store import Gallery
from tests.edge_runtime.gallery.refusing import refusal

SamplesOf = Callable[..., list[NewSample]]


def whole(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def stored_of(path: Path, table: str, column: str) -> list[bytes]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute(f"SELECT {column} FROM {table}") if row[0]]


def test_nothing_is_left_of_who_is_forgotten(
    gallery: Gallery, path: Path, samples_of: SamplesOf
) -> None:
    gallery.enroll("Anna", samples_of(1, 20, 20), consent="yes")
    gallery.reject("Anna", samples_of(3))
    stored = [value for table, columns in (("people", ("id", "wrapped_key", "name", "consent")),
                                           ("samples", ("embedding",)), ("audit", ("sealed",)))
              for column in columns for value in stored_of(path, table, column)]
    assert len(stored) == 4 + 45 + 1
    gallery.enroll("Ben", samples_of(2))
    before = whole(path.parent)
    # A ciphertext that spans pages is not in one piece; its first bytes are.
    assert all(value[:16] in before for value in stored)
    found = gallery.forget("anna")
    assert found.person == "Anna" and found.markers == len(stored)
    assert {file.path.name for file in found.searched} >= {"gallery.db"}
    assert {file.path.name: file.bytes for file in found.searched}["gallery.db"] == (
        path.stat().st_size)
    after = whole(path.parent)
    assert not any(value[i : i + 16] in after for value in stored
                   for i in range(0, len(value) - 15, 16))
    assert [p.person for p in gallery.people()] == ["Ben"]
    assert "nobody is enrolled as 'Anna'" in refusal(lambda: gallery.forget("Anna"))


@pytest.mark.parametrize("name", ["gallery.db.bak", "gallery-monday.db", "copy", "gallery.txt"])
def test_what_is_left_in_a_backup_is_named(
    gallery: Gallery, path: Path, samples_of: SamplesOf, name: str
) -> None:
    gallery.enroll("Anna", samples_of(1))
    gallery.enroll("Ben", samples_of(2))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    backup = path.with_name(name)
    shutil.copy(path, backup)
    if name.endswith(".txt"):  # nothing but one planted piece of a ciphertext
        backup.write_bytes(b"x" * 5 + stored_of(path, "samples", "embedding")[0][100:130])
    message = refusal(lambda: gallery.forget("Anna"))
    assert message == ("'Anna' is deleted from the gallery, but not from everywhere: delete "
                       f"{backup}, which holds bytes of theirs")
    assert [p.person for p in gallery.people()] == ["Ben"]
    if name.endswith(".txt"):
        gallery.forget("Ben")  # of whom the file holds nothing
    else:
        assert str(backup) in refusal(lambda: gallery.forget("Ben"))


def test_a_reader_in_the_way_is_waited_for_and_nothing_deleted(
    gallery: Gallery, path: Path, samples_of: SamplesOf
) -> None:
    gallery.enroll("Anna", samples_of(1))
    gallery._records.database.execute("PRAGMA busy_timeout = 100")
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM people").fetchall()
        gallery.enroll("Ben", samples_of(2))  # which the reader's view does not hold up
        assert "another program has kept the gallery" in refusal(lambda: gallery.forget("Anna"))
        assert len(gallery.people()) == 2
        reader.execute("COMMIT")
        assert gallery.forget("Anna").markers > 5


def test_the_audit_holds_after_everybody_is_forgotten(
    gallery: Gallery, samples_of: SamplesOf
) -> None:
    for seed in range(3):
        gallery.enroll(f"person {seed}", samples_of(seed), consent="yes")
    for seed in range(3):
        gallery.forget(f"person {seed}")
    assert [e.event for e in gallery.audit()] == ["created", *["enrolled"] * 3, *["forgotten"] * 3]


PASSPHRASE = "correct horse"


@pytest.fixture
def others(
    gallery: Gallery, tmp_path: Path, manifest: Manifest, key_file: Path, samples_of: SamplesOf
) -> Path:
    """A second gallery on this device, elsewhere, into which Anna and Ben were carried."""
    gallery.enroll("Anna", samples_of(1))
    gallery.enroll("Ben", samples_of(2))
    file = tmp_path / "people.export"
    gallery.export_file(file, PASSPHRASE)
    second = tmp_path / "elsewhere" / "second.db"
    with Gallery.open(second, manifest, key_file, mode="create") as other:
        assert other.import_people(read_export(file, PASSPHRASE), file).people == ("Anna", "Ben")
    return second


def test_another_gallery_that_they_were_carried_into_is_named(
    gallery: Gallery, others: Path, tmp_path: Path, manifest: Manifest, key_file: Path
) -> None:
    message = refusal(lambda: gallery.forget("Anna"))
    assert f"'visavox forget 'Anna' --gallery {others}', where they were carried to" in message
    assert f"holds them: {tmp_path / 'people.export'}, which is still there" in message
    assert [person.person for person in gallery.people()] == ["Ben"]
    with Gallery.open(others, manifest, key_file, mode="write") as other:
        found = other.forget("Anna")  # the first has nothing of her any more
        assert found.elsewhere == (f"they were imported from {tmp_path / 'people.export'}, which "
                                   "holds them, as does the gallery that it was made of",)
        assert str(gallery.path) in refusal(lambda: other.forget("Ben"))


def test_exports_from_before_somebody_came_do_not_hold_them(
    gallery: Gallery, tmp_path: Path, samples_of: SamplesOf
) -> None:
    gallery.enroll("Anna", samples_of(1))
    for number in (1, 2):
        gallery.export_file(tmp_path / f"{number}.export", PASSPHRASE)
        gallery.enroll(f"person {number}", samples_of(number + 1))
    (tmp_path / "2.export").unlink()
    [sentence] = gallery.forget("person 1").elsewhere
    assert sentence.endswith(f"{tmp_path / '2.export'}, which is no longer there")
    assert len(gallery.forget("Anna").elsewhere) == 2
    assert gallery.forget("person 2").elsewhere == ()


def test_a_gallery_that_cannot_be_looked_into_is_named(
    gallery: Gallery, others: Path, samples_of: SamplesOf
) -> None:
    others.write_bytes(b"no gallery any more")
    gallery.enroll("Cleo", samples_of(3))
    [sentence] = gallery.forget("Cleo").elsewhere
    assert sentence.startswith(f"not looked into: {others}: expected a gallery")
    others.unlink()
    assert len(gallery.forget("Ben").elsewhere) == 1  # the export
