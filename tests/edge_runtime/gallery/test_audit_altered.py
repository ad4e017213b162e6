"""Whatever a writer without the key does to the file is noticed: by `audit`, and on opening."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edge_runtime.bundle.manifest import Manifest
from edge_runtime.decision.decide import COLUMNS, EnrolledThresholds
from edge_runtime.decision.similarity import LogOdds, Similarity
from edge_runtime.errors import GalleryError
from edge_runtime.gallery.database import SCHEMA
from edge_runtime.gallery.samples import NewSample
from edge_runtime.gallery.store import Gallery
from tests.edge_runtime.gallery.refusing import refusal
from tests.edge_runtime.gallery_device import Device

SamplesOf = Callable[..., list[NewSample]]
THRESHOLDS = EnrolledThresholds(
    similarity=Similarity(*(LogOdds({m: 30.0 for m in modalities}, -24.0)
                            for modalities in COLUMNS.values())),
    least=dict.fromkeys(COLUMNS, 2.0), false_accept_rate=0.05,
    false_accept_bound=dict.fromkeys(COLUMNS, 0.05), miss_rate=dict.fromkeys(COLUMNS, 0.1),
    people=9)


def _columns() -> list[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        tables = [name for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return [(table, row[1]) for table in tables
                for row in connection.execute(f"PRAGMA table_info({table})")]


TABLES = sorted({table for table, _ in _columns()})
OF_EACH_COLUMN = [
    (f"{name} of {table}.{column}", f"UPDATE {table} SET {column} = {value} WHERE rowid = "
     f"(SELECT MAX(rowid) FROM {table})")
    for table, column in _columns()
    for name, value in (
        ("null", "NULL"), ("other bytes", f"CAST('x' || {column} AS BLOB)"),
        ("number", "7"), ("no text", "CAST(x'ff00fe' AS TEXT)"),
        ("another row's", f"(SELECT {column} FROM {table} ORDER BY rowid LIMIT 1)"))]
OF_EACH_TABLE = [
    (f"{name} {table}", statement.format(table=table))
    for table in TABLES
    for name, statement in (
        ("empty", "DELETE FROM {table}"), ("drop", "DROP TABLE {table}"),
        ("last of", "DELETE FROM {table} WHERE rowid = (SELECT MAX(rowid) FROM {table})"),
        ("first of", "DELETE FROM {table} WHERE rowid = (SELECT MIN(rowid) FROM {table})"),
        ("column of", "ALTER TABLE {table} ADD COLUMN more TEXT"),
        ("rename", "ALTER TABLE {table} RENAME TO other"),
        ("order of", "UPDATE {table} SET rowid = -rowid WHERE rowid = (SELECT MAX(rowid) FROM "
                     "{table})"))]
OTHERS = [
    ("copied sample", "INSERT INTO samples SELECT 99, person, kind, modality, embedding, added "
                      "FROM samples WHERE id = 1"),
    ("copied person", "INSERT INTO people SELECT randomblob(16), randomblob(16), wrapped_key, "
                      "name, consent, enrolled FROM people LIMIT 1"),
    ("swapped samples", "UPDATE samples SET id = -id; UPDATE samples SET id = 3 WHERE id = -1; "
                        "UPDATE samples SET id = 1 WHERE id = -3; "
                        "UPDATE samples SET id = -id WHERE id < 0"),
    ("another's samples", "UPDATE samples SET person = (SELECT id FROM people ORDER BY rowid LIMIT "
                          "1)"),
    ("rejected as template", "UPDATE samples SET kind = 'template'"),
    ("trigger", "CREATE TRIGGER t AFTER INSERT ON people BEGIN DELETE FROM samples; END"),
    ("view", "CREATE VIEW v AS SELECT * FROM people"),
    ("index", "DROP INDEX samples_of_person"), ("version", "PRAGMA user_version = 2"),
    ("kind of file", "PRAGMA application_id = 7"),
    ("all but the key", "DELETE FROM audit; DELETE FROM people; DELETE FROM samples; UPDATE "
                        "gallery SET audit_head = NULL"),
]
CHANGES = OF_EACH_COLUMN + OF_EACH_TABLE + OTHERS


@pytest.fixture(scope="module")
def whole(
    manifest: Manifest, samples_of: SamplesOf, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with a gallery in which every table has rows, and its key."""
    folder = tmp_path_factory.mktemp("whole")
    with Gallery.open(folder / "gallery.db", manifest, folder / "device.key",
                      mode="create") as gallery:
        for number, name in enumerate(("Anna", "Ben", "Cleo"), 1):
            gallery.enroll(name, samples_of(number), consent="yes" if number > 1 else None)
        gallery.set_thresholds(THRESHOLDS)
        gallery.reject("Ben", samples_of(7, 1, 1))
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    for name in ("gallery.db", "device.key"):
        shutil.copy(whole / name, tmp_path / name)
    return tmp_path / "gallery.db"


def alter(path: Path, script: str) -> bool:
    """By SQL, without the key. Whether SQLite took it and something is another now."""
    with closing(sqlite3.connect(path)) as connection:
        before = list(connection.iterdump())
        try:
            connection.executescript(script)
        except sqlite3.DatabaseError:  # a constraint, which keeps it as it was
            connection.rollback()
        connection.text_factory = bytes
        return "PRAGMA" in script or [bytes(str(line), "utf-8") for line in before] != [
            bytes(str(line), "utf-8") for line in _dumped(path)]


def _dumped(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = lambda text: text.decode("utf-8", "backslashreplace")
        return list(connection.iterdump())


@pytest.mark.parametrize("script", [script for _, script in CHANGES],
                         ids=[name for name, _ in CHANGES])
def test_every_change_is_noticed(copy: Path, manifest: Manifest, script: str) -> None:
    key = copy.with_name("device.key")
    if not alter(copy, script):  # SQLite's own constraints do not let it
        with Gallery.open(copy, manifest, key, mode="audit") as gallery:
            assert len(gallery.audit()) == 6
        return
    assert str(copy) in refusal(lambda: Gallery.open(copy, manifest, key))
    assert str(copy) in refusal(lambda: Gallery.open(copy, manifest, key, mode="write"))
    with pytest.raises(GalleryError), Gallery.open(copy, manifest, key, mode="audit") as gallery:
        gallery.audit()


def test_most_changes_are_tried() -> None:
    assert len(CHANGES) > 150 and len(TABLES) == 6


def test_while_the_gallery_is_open(copy: Path, manifest: Manifest, samples_of: SamplesOf) -> None:
    """A kiosk has it open for weeks."""
    key = copy.with_name("device.key")
    with Gallery.open(copy, manifest, key, mode="write") as gallery:
        assert gallery.thresholds() == THRESHOLDS
        assert alter(copy, "DELETE FROM people WHERE rowid = 1")
        for use in (gallery.people, gallery.thresholds, gallery.audit,
                    lambda: gallery.search("face", samples_of(1)[0].embedding),
                    lambda: gallery.candidates({"face": samples_of(1)[0].embedding}),
                    lambda: gallery.enroll("Dora", samples_of(9))):
            assert "somebody altered the gallery outside of visavox: people changed" in refusal(use)


def test_it_can_be_taken_as_it_is(copy: Path, manifest: Manifest, samples_of: SamplesOf) -> None:
    key = copy.with_name("device.key")
    alter(copy, "DELETE FROM people WHERE rowid = 1; DELETE FROM samples WHERE person NOT IN "
                "(SELECT id FROM people)")
    with Gallery.open(copy, key_file=key, mode="audit") as gallery:
        assert gallery.accept() == 0  # the log itself holds
    with Gallery.open(copy, manifest, key, mode="write") as gallery:
        assert [person.person for person in gallery.people()] == ["Ben", "Cleo"]
        assert gallery.audit()[-1].event == "accepted"
        gallery.enroll("Dora", samples_of(9))
    alter(copy, "DELETE FROM audit WHERE number = 3")
    with Gallery.open(copy, key_file=key, mode="audit") as gallery:
        assert gallery.accept() == 7  # all of it: what does not hold says nothing
        assert [(e.event, e.counts) for e in gallery.audit()] == [
            ("accepted", {"entries lost": 7})]


def test_an_older_copy_of_the_whole_file(
    copy: Path, manifest: Manifest, samples_of: SamplesOf
) -> None:
    key = copy.with_name("device.key")
    older = copy.read_bytes()
    with Gallery.open(copy, manifest, key, mode="write") as gallery:
        gallery.forget("Anna")
    newer = copy.read_bytes()
    copy.write_bytes(older)
    with Gallery.open(copy, manifest, key, mode="write") as gallery:
        assert "it is an older copy of itself" in refusal(gallery.audit)
        gallery.enroll("Dora", samples_of(8))  # going on does not hide it
        gallery.enroll("Eva", samples_of(9))
        assert "it is an older copy of itself" in refusal(gallery.audit)
    copy.write_bytes(newer)
    with Gallery.open(copy, manifest, key) as gallery:
        assert len(gallery.audit()) == 7
    copy.write_bytes(older)
    with Gallery.open(copy, key_file=key, mode="audit") as gallery:
        gallery.accept()
        assert len(gallery.audit()) == 7


def test_a_seal_of_before_with_what_is_there_now(
    copy: Path, manifest: Manifest, samples_of: SamplesOf
) -> None:
    key = copy.with_name("device.key")
    with closing(sqlite3.connect(copy)) as connection:
        [(head,)] = connection.execute("SELECT audit_head FROM gallery")
    with Gallery.open(copy, manifest, key, mode="write") as gallery:
        gallery.enroll("Dora", samples_of(9))
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("UPDATE gallery SET audit_head = ?", (head,))
        connection.commit()
    assert "people, samples, audit changed" in refusal(lambda: Gallery.open(copy, key_file=key))


def test_nothing_is_remembered_where_nothing_can_be(
    tmp_path: Path, manifest: Manifest, samples_of: SamplesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key from the environment, and no folder to write to: as before, without the older copy."""
    monkeypatch.setenv("VISAVOX_DEVICE_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    blocked = tmp_path / "blocked"
    blocked.touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(blocked))
    path = tmp_path / "gallery.db"
    with Gallery.open(path, manifest, mode="create") as gallery:
        gallery.enroll("Anna", samples_of(1))
        assert [entry.event for entry in gallery.audit()] == ["created", "enrolled"]


def test_the_command_line_names_it_and_takes_it(anna: Device) -> None:
    at = ("--gallery", anna.gallery)
    assert alter(anna.gallery, "UPDATE people SET consent = name")
    for command in (("people",), ("audit",), ("forget", "Anna")):
        message = anna.mistake(*command, *at)
        assert "people changed without the device key" in message and "audit --accept" in message
    assert "accepted" in anna.run("audit", *at, "--accept")
    assert anna.run("audit", *at).endswith("3 entries, the chain holds\n")
