"""What was done with the gallery and when: a log chained by hashes that outlives who is in it.

Each entry's hash covers its own fields and the hash before it; the last one is kept sealed by the
device key, so that entries cut off at the end are missed too. Entries hold random numbers, times
and counts; name and consent stand in them sealed by the person's key, and only their hash enters
the chain: `forget` removes them and the chain still holds. Somebody with the device key can forge
it; an older copy of the whole file is noticed on the device that wrote it (known.py).

With the end of the log a digest of each table, and of the schema, is kept sealed, renewed in the
transaction that changes a row and compared whenever the file is opened or was changed by another
program. Rows are hashed as they are stored: taken out, added, copied, moved or emptied, in any
column, they give another digest.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

from edge_runtime.errors import GalleryError
from edge_runtime.gallery.database import Database, stamp
from edge_runtime.gallery.keys import Vault

FORGOTTEN = "forgotten"
EXPORT_FILE = "export file"  # what the device key seals in the entry of an export
_HEAD = "audit head"
_START = bytes(32)
_COLUMNS = "number, time, event, subject, counts, sealed, sealed_hash, hash"


@dataclass(frozen=True)
class Entry:
    """One row of the log. counts: JSON, by what was counted. sealed: name and consent."""

    number: int
    time: str
    event: str
    subject: bytes | None
    counts: str
    sealed: bytes | None
    sealed_hash: bytes | None
    hash: bytes

    def hash_after(self, previous: bytes) -> bytes:
        """What `hash` has to be where the entry before has the hash `previous`."""
        fields = [self.number, self.time, self.event, self.subject, self.counts, self.sealed_hash,
                  previous]
        return hashlib.sha256(msgspec.msgpack.encode(fields)).digest()

    def __str__(self) -> str:
        return f"entry {self.number} ({self.event}, {self.time})"


class Head(msgspec.Struct, frozen=True):
    """The last entry's number and hash, and digests of all tables, which a visavox
    before them did not keep."""

    number: int
    hash: bytes
    contents: Digests | None = None


def first_head(device: Vault) -> bytes:
    """The sealed end of a log without entries."""
    return _sealed(device, Head(0, _START))


def append(
    database: Database, device: Vault, event: str, *, subject: bytes | None = None,
    counts: dict[str, int] | None = None, sealed: bytes | None = None,
) -> None:
    """Add an entry, within the caller's transaction, at whose end `seal` is to be called."""
    head = read_head(database, device)
    counted = msgspec.json.encode(counts or {}).decode()
    entry = Entry(head.number + 1, stamp(last_time(database)), event, subject, counted, sealed,
                  hashlib.sha256(sealed).digest() if sealed else None, b"")
    digest = entry.hash_after(head.hash)
    database.execute(f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                     entry.number, entry.time, event, subject, entry.counts, sealed,
                     entry.sealed_hash, digest)
    _write_head(database, device, Head(entry.number, digest))


def seal(database: Database, device: Vault) -> Head:
    """Bind all rows as they are now to the key: the last thing in a transaction."""
    head = read_head(database, device)
    head = Head(head.number, head.hash, digests_of(database))
    _write_head(database, device, head)
    return head


def check_contents(database: Database, device: Vault) -> None:
    """GalleryError where a row is not as it was sealed."""
    head = read_head(database, device)
    if head.contents is not None:
        check_digests(database, head.contents)


def begin_anew(database: Database, device: Vault) -> int:
    """Empty a log that does not hold, in the caller's transaction; how many entries it had."""
    [(count,)] = database.execute("SELECT COUNT(*) FROM audit")
    database.execute("DELETE FROM audit")
    _write_head(database, device, Head(0, _START))
    return int(count)


def last_time(database: Database) -> str | None:
    """When the last entry was written; None where there is none."""
    rows = database.execute("SELECT time FROM audit ORDER BY number DESC LIMIT 1")
    return rows[0][0] if rows else None


def verified_entries(database: Database, device: Vault) -> list[Entry]:
    """All entries in order. GalleryError names the first that was changed, removed or moved."""
    entries = [Entry(*row)
               for row in database.execute(f"SELECT {_COLUMNS} FROM audit ORDER BY number")]
    previous = _START
    for number, entry in enumerate(entries, 1):
        if entry.number != number:
            raise _broken(database, f"entry {number} is missing")
        if entry.hash != entry.hash_after(previous):
            raise _broken(database, f"{entry} was changed, moved, or is not what followed the one "
                                    "before")
        previous = entry.hash
    head = read_head(database, device)
    if (head.number, head.hash) != (len(entries), previous):
        raise _broken(database, f"expected {head.number} entries, found {len(entries)}"
                      if head.number != len(entries) else "all of it was written anew")
    _check_sealed(database, entries)
    return entries


def _check_sealed(database: Database, entries: list[Entry]) -> None:
    """Names are as they were, or were taken out because somebody was forgotten."""
    forgotten = {entry.subject for entry in entries if entry.event == FORGOTTEN}
    for entry in entries:
        if entry.sealed is None:
            if entry.sealed_hash and entry.subject not in forgotten:
                raise _broken(database, f"the name in {entry} was removed, and nobody forgotten")
        elif (not isinstance(entry.sealed, bytes)
              or hashlib.sha256(entry.sealed).digest() != entry.sealed_hash):
            raise _broken(database, f"the name in {entry} was changed")


def read_head(database: Database, device: Vault) -> Head:
    """GalleryError where it is missing or was changed."""
    rows = database.execute("SELECT audit_head FROM gallery")
    content = device.unseal(rows[0][0], _HEAD) if rows else None
    if content is None:
        raise _broken(database, "the seal on its end was changed")
    return msgspec.msgpack.decode(content, type=Head)


def _write_head(database: Database, device: Vault, head: Head) -> None:
    database.execute("UPDATE gallery SET audit_head = ?", _sealed(device, head))


def _sealed(device: Vault, head: Head) -> bytes:
    return device.seal(msgspec.msgpack.encode(head), _HEAD)


def _broken(database: Database, what: str) -> GalleryError:
    return altered(database, f"the audit log does not hold: {what}")


Digests = dict[str, bytes]
"""By table."""

_READ = {
    "schema": "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name",
    "gallery": "SELECT id, key_check FROM gallery ORDER BY id",  # not the seal itself
    "networks": "SELECT * FROM networks ORDER BY rowid",
    "people": "SELECT * FROM people ORDER BY rowid",  # in which they are listed
    "samples": "SELECT * FROM samples ORDER BY id",
    "limits": "SELECT * FROM limits ORDER BY id",
    "audit": "SELECT * FROM audit ORDER BY number",
}


def digests_of(database: Database) -> Digests:
    """By what is stored now, seen from the caller's transaction."""
    return {table: _digest(database, statement) for table, statement in _READ.items()}


def check_digests(database: Database, sealed: Digests) -> None:
    """GalleryError names the tables that are not as they were sealed."""
    found = digests_of(database)
    if changed := [table for table in _READ if sealed.get(table) != found[table]]:
        raise altered(database, f"{', '.join(changed)} changed without the device key")


def altered(database: Database, what: str) -> GalleryError:
    """What to say of a file that somebody else has changed."""
    return GalleryError(f"{database.path}: somebody altered the gallery outside of visavox: "
                        f"{what}; put a copy in its place, or take it as it is with 'visavox audit "
                        "--accept' and look through 'visavox people'")


def _digest(database: Database, statement: str) -> bytes:
    digest = hashlib.blake2b(digest_size=32)
    encoder, buffer = msgspec.msgpack.Encoder(), bytearray()
    for row in database.rows(statement):
        encoder.encode_into(row, buffer)
        digest.update(buffer)
    return digest.digest()
