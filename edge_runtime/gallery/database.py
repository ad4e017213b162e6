"""The gallery's file: SQLite, with its schema, its transactions, and what its errors mean.

Times are stored in UTC to the second, which sort as text. A Pi without a battery starts in 1970, or
when it was last shut down, until the network tells the time; and a clock may be ahead for a moment.
So no time is stored that lies before the one stored last, as far as a clock behind explains that,
and by a clock that is plainly wrong nothing is deleted.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edge_runtime.errors import GalleryError
from edge_runtime.gallery.keys import place_new

APPLICATION_ID = 0x56495356  # "VISV", by which SQLite files are told apart
SCHEMA_VERSION = 1
BUSY_SECONDS = 10.0  # how long to wait for another program's transaction

# Names, texts and embeddings are sealed (see keys.py). A person's `subject` is their random number
# in the audit log, which outlives them; their `id` does not.
SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
CREATE TABLE gallery (id INTEGER PRIMARY KEY CHECK (id = 1), key_check BLOB NOT NULL,
                      audit_head BLOB);
CREATE TABLE networks (modality TEXT PRIMARY KEY CHECK (modality IN ('face', 'voice')),
                       sha256 TEXT NOT NULL);
CREATE TABLE people (id BLOB PRIMARY KEY, subject BLOB NOT NULL UNIQUE, wrapped_key BLOB NOT NULL,
                     name BLOB NOT NULL, consent BLOB, enrolled TEXT NOT NULL);
CREATE TABLE samples (id INTEGER PRIMARY KEY,
                      person BLOB NOT NULL REFERENCES people ON DELETE CASCADE,
                      kind TEXT NOT NULL CHECK (kind IN ('template', 'rejected')),
                      modality TEXT NOT NULL REFERENCES networks,
                      embedding BLOB NOT NULL, added TEXT NOT NULL);
CREATE INDEX samples_of_person ON samples (person);
CREATE TABLE limits (id INTEGER PRIMARY KEY CHECK (id = 1), content TEXT NOT NULL);
CREATE TABLE audit (number INTEGER PRIMARY KEY, time TEXT NOT NULL, event TEXT NOT NULL,
                    subject BLOB, counts TEXT NOT NULL, sealed BLOB, sealed_hash BLOB,
                    hash BLOB NOT NULL);
"""

_MEANING = {
    sqlite3.SQLITE_FULL: "the disk is full; make room and do it again",
    sqlite3.SQLITE_IOERR: "the disk cannot be written or read ({error}); make room, check the "
                          "disk and do it again",
    sqlite3.SQLITE_BUSY: f"another program has kept the gallery for {BUSY_SECONDS:.0f} s; stop it, "
                         "do it again later, or, on a network drive, put the gallery on a disk of "
                         "this device",
    sqlite3.SQLITE_CORRUPT: "expected a gallery, found a damaged or truncated one ({error}); put a "
                            "copy in its place, or move it away and import an export",
    sqlite3.SQLITE_NOTADB: "expected a gallery, found another kind of file; name a gallery, or a "
                           "file that does not exist yet",
    sqlite3.SQLITE_READONLY: "the gallery may only be read; run as its owner",
    sqlite3.SQLITE_CANTOPEN: "the gallery cannot be opened ({error}); check that you may write "
                             "the file and its folder",
}
_OF_LOCKS = tuple(f"SQLITE_IOERR_{name}" for name in (
    "LOCK", "RDLOCK", "UNLOCK", "CHECKRESERVEDLOCK", "SHMOPEN", "SHMLOCK", "SHMMAP"))
_WITHOUT_LOCKS = ("the file system there lacks the locks or the shared memory that a gallery "
                  "needs, as network drives do ({error}); put the gallery on a disk of this device")
_ALTERED = ("somebody altered the gallery outside of visavox ({error}); put a copy in its place, "
            "or move it away and import an export")
_MEANING[sqlite3.SQLITE_PROTOCOL] = _MEANING[sqlite3.SQLITE_BUSY]
_MEANING[sqlite3.SQLITE_PERM] = _MEANING[sqlite3.SQLITE_CANTOPEN]


class Database:
    """An open gallery file. Every error of the disk or of other programs is a GalleryError."""

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        self._writable = writable
        self._connection = self._connect()

    def reopen(self) -> None:
        """After `close`."""
        self._connection = self._connect()

    def close(self) -> None:
        """The last program to close the file empties and deletes its -wal."""
        self._connection.close()

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        with explained(self.path):
            return self._connection.execute(statement, values).fetchall()

    def rows(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """Run one statement and hand out its rows one by one."""
        with explained(self.path):
            yield from self._connection.execute(statement)

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """All of what is done within, or nothing; other programs' writing waits meanwhile."""
        return self._within("BEGIN IMMEDIATE")

    def snapshot(self) -> contextlib.AbstractContextManager[None]:
        """What is read within is of one moment, whatever other programs write meanwhile."""
        return self._within("BEGIN")

    @contextlib.contextmanager
    def _within(self, begin: str) -> Iterator[None]:
        self.execute(begin)
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # SQLite itself rolls back where the disk is full
                self._connection.rollback()
            raise

    def empty_log(self) -> None:
        """Move all pages from the -wal into the file. GalleryError where others keep it busy."""
        [(busy, _, _)] = self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if busy:
            raise GalleryError(f"{self.path}: {_MEANING[sqlite3.SQLITE_BUSY]}")

    def _connect(self) -> sqlite3.Connection:
        with explained(self.path):
            # mode=rw: a file that is missing by now is not made anew.
            connection = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=rw", uri=True,
                                         timeout=BUSY_SECONDS, isolation_level=None,
                                         check_same_thread=False)
        # Text that is none, which only somebody else can have written, is to differ, not to fail.
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        try:
            with explained(self.path):
                self._check(connection)
                for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON",
                               "foreign_keys = ON", "temp_store = MEMORY",
                               f"query_only = {not self._writable}"):
                    connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        (kind,), (version,) = (connection.execute(f"PRAGMA {name}").fetchone()
                               for name in ("application_id", "user_version"))
        if kind != APPLICATION_ID:
            raise GalleryError(f"{self.path}: {_MEANING[sqlite3.SQLITE_NOTADB]}")
        if version != SCHEMA_VERSION:
            raise GalleryError(f"{self.path}: expected a gallery of version {SCHEMA_VERSION}, "
                               f"found {version}; use the visavox that made it")
        # A cut that leaves the first pages alone would show much later, or never.
        self._check_sound(connection, "quick_check")

    def _check_sound(self, connection: sqlite3.Connection, check: str) -> None:
        (found,) = connection.execute(f"PRAGMA {check}(1)").fetchone()
        if found == "ok" and self._cut_within_a_page(connection):
            found = "it ends within a page"
        if found != "ok":
            reason = " ".join(found.replace("*", "").split())
            raise GalleryError(f"{self.path}: "
                               f"{_MEANING[sqlite3.SQLITE_CORRUPT].format(error=reason)}")

    def check_indices(self) -> None:
        """GalleryError where an index leads elsewhere than to its rows, which takes longer."""
        self._check_sound(self._connection, "integrity_check")

    def _cut_within_a_page(self, connection: sqlite3.Connection) -> bool:
        """SQLite reads what is missing of the last page as zeros. While there is something in the
        -wal, the file may end anywhere: another program, or one that was killed, is at it."""
        log = Path(f"{self.path}-wal")
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        return (not log.exists() or log.stat().st_size == 0) and (
            self.path.stat().st_size % page_bytes != 0)


def create_database(path: Path, fill: Callable[[Database], None]) -> None:
    """Make a gallery that `fill` has filled, whole or not at all.

    Where another program has made one at the same time, that one stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # of mode 0600
    os.close(descriptor)
    draft = Path(name)
    try:
        with explained(path), contextlib.closing(sqlite3.connect(draft)) as connection:
            connection.executescript(SCHEMA)
        database = Database(draft, writable=True)
        try:
            fill(database)
        finally:
            database.close()
        place_new(draft, path)
    except GalleryError as error:  # the draft's name tells nobody anything
        raise GalleryError(str(error).replace(str(draft), str(path))) from None
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            Path(f"{draft}{ending}").unlink(missing_ok=True)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """SQLite's errors that a person can mend, as a GalleryError; others are faults of ours."""
    try:
        yield
    except sqlite3.Error as error:
        meaning = _MEANING.get(getattr(error, "sqlite_errorcode", -1) & 0xFF)
        if str(error).startswith("no such "):
            meaning = _ALTERED
        elif getattr(error, "sqlite_errorname", "").startswith(_OF_LOCKS):
            meaning = _WITHOUT_LOCKS
        if meaning is None:
            raise
        raise GalleryError(f"{path}: {meaning.format(error=error)}") from None


REJECTED_DAYS = 30  # how long a "not this person" sample is kept
EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)  # there was no gallery before
MOST = timedelta(days=366)  # that a gallery may have lain idle before its clock is doubted


def stamp(last: str | None) -> str:
    """The time to store, for example 2026-11-25T09:30:00+00:00. last: what was stored before."""
    now, before = datetime.now(UTC), _moment(last)
    behind = before is not None and now < before and (now < EARLIEST or before - now < MOST)
    return _text(before if before is not None and behind else now)


def oldest_rejected(last: str | None) -> str:
    """Rejected samples from before are to be deleted; none where the clock cannot be right: before
    the gallery's last entry, or far after it."""
    now, before = datetime.now(UTC), _moment(last)
    right = before is not None and max(before, EARLIEST) <= now <= before + MOST
    return _text(now - timedelta(days=REJECTED_DAYS)) if right else ""


def is_dated_wrongly(time: str) -> bool:
    """Whether the clock was plainly wrong when this was stored."""
    found = _moment(time)
    return found is None or not EARLIEST <= found <= datetime.now(UTC)


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _text(time: datetime) -> str:
    return time.isoformat(timespec="seconds")
