"""The log holds by itself, also after somebody is forgotten; every change to it is found."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edge_runtime.bundle.manifest import Manifest
from edge_runtime.errors import GalleryError
from edge_runtime.gallery.samples import NewSample
from edge_runtime.gallery.store import Gallery

SamplesOf = Callable[..., list[NewSample]]
ENTRIES = ["created", "enrolled", "enrolled", "rejected", "forgotten", "enrolled"]


@pytest.fixture(scope="module")
def history(
    manifest: Manifest, samples_of: SamplesOf, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with a gallery to be copied, in which something happened, and its key."""
    folder = tmp_path_factory.mktemp("history")
    with Gallery.open(folder / "gallery.db", manifest, folder / "device.key",
                      mode="create") as gallery:
        gallery.enroll("Anna", samples_of(1), consent="to be greeted")
        gallery.enroll("Ben", samples_of(2, clips=0), consent="until June")
        gallery.reject("Ben", samples_of(3, 1, 1))
        gallery.forget("Anna")
        gallery.enroll("Cleo", samples_of(4))
    return folder


@pytest.fixture
def logged(history: Path, path: Path, key_file: Path) -> Callable[[], Gallery]:
    """A closed copy of that gallery; each call opens it to be looked through."""
    for copy, name in ((path, "gallery.db"), (key_file, "device.key")):
        copy.parent.mkdir()
        shutil.copy(history / name, copy)  # with its mode
    return lambda: Gallery.open(path, key_file=key_file, mode="audit")


def alter(path: Path, *statements: str) -> None:
    """Change the file outside of visavox."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def fault(logged: Callable[[], Gallery]) -> str:
    with logged() as gallery, pytest.raises(GalleryError) as caught:
        gallery.audit()
    assert "the audit log does not hold: " in str(caught.value)
    return str(caught.value)


def test_what_it_says(logged: Callable[[], Gallery]) -> None:
    with logged() as gallery:
        entries = gallery.audit()
    assert [entry.event for entry in entries] == ENTRIES
    assert [entry.number for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert [entry.person for entry in entries] == [None, None, "Ben", "Ben", None, "Cleo"]
    assert [entry.consent for entry in entries] == [None, None, "until June", None, None, None]
    assert entries[1].subject == entries[4].subject != entries[2].subject
    assert entries[3].counts == {"faces": 1, "clips": 1}
    assert entries[1].counts == {"faces": 3, "clips": 2}


def test_names_and_consent_stand_nowhere_in_clear(
    logged: Callable[[], Gallery], path: Path
) -> None:
    content = path.read_bytes()
    for text in (b"Anna", b"Ben", b"Cleo", b"greeted", b"June"):
        assert text not in content


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("change", [
    "time = '2020-01-01T00:00:00+00:00'", "event = 'exported'", "subject = randomblob(16)",
    "counts = '{\"faces\":9}'", "hash = randomblob(32)", "sealed_hash = randomblob(32)",
    "sealed = randomblob(99)",
])
def test_every_changed_entry_is_named(
    logged: Callable[[], Gallery], path: Path, number: int, change: str
) -> None:
    alter(path, f"UPDATE audit SET {change} WHERE number = {number}")
    assert f"entry {number} (" in fault(logged)


@pytest.mark.parametrize("number", range(1, 6))
def test_a_removed_entry_is_named(
    logged: Callable[[], Gallery], path: Path, number: int
) -> None:
    alter(path, f"DELETE FROM audit WHERE number = {number}")
    assert f"entry {number} is missing" in fault(logged)


@pytest.mark.parametrize("number", range(1, 6))
def test_a_removed_entry_whose_gap_was_closed(
    logged: Callable[[], Gallery], path: Path, number: int
) -> None:
    alter(path, f"DELETE FROM audit WHERE number = {number}",
          f"UPDATE audit SET number = number - 1 WHERE number > {number}")
    assert f"entry {number} ({ENTRIES[number]}" in fault(logged)


def test_entries_removed_at_the_end(logged: Callable[[], Gallery], path: Path) -> None:
    alter(path, "DELETE FROM audit WHERE number > 4")
    assert "expected 6 entries, found 4" in fault(logged)


def test_two_entries_in_each_others_place(logged: Callable[[], Gallery], path: Path) -> None:
    alter(path, "UPDATE audit SET number = 99 WHERE number = 2",
          "UPDATE audit SET number = 2 WHERE number = 3",
          "UPDATE audit SET number = 3 WHERE number = 99")
    assert "entry 2 (enrolled" in fault(logged)


def test_a_name_taken_out_of_somebody_who_is_still_there(
    logged: Callable[[], Gallery], path: Path
) -> None:
    alter(path, "UPDATE audit SET sealed = NULL WHERE number = 3")
    assert "the name in entry 3 (enrolled" in fault(logged)


def test_an_added_entry(logged: Callable[[], Gallery], path: Path) -> None:
    alter(path, "INSERT INTO audit SELECT 7, time, event, subject, counts, sealed, sealed_hash, "
                "hash FROM audit WHERE number = 6")
    assert "entry 7 (" in fault(logged)


def test_an_older_seal(logged: Callable[[], Gallery], path: Path) -> None:
    alter(path, "UPDATE gallery SET audit_head = randomblob(80)")
    assert "the seal on its end was changed" in fault(logged)
    alter(path, "UPDATE gallery SET audit_head = NULL")
    assert "the seal on its end was changed" in fault(logged)
    alter(path, "DELETE FROM audit")
    assert "the seal on its end was changed" in fault(logged)


def test_nothing_goes_on_after_an_entry_was_removed(
    logged: Callable[[], Gallery], path: Path, manifest: Manifest, key_file: Path,
) -> None:
    alter(path, "DELETE FROM audit WHERE number = 6")
    with pytest.raises(GalleryError, match="audit changed without the device key"):
        Gallery.open(path, manifest, key_file, mode="write")
    assert "expected 6 entries, found 5" in fault(logged)
