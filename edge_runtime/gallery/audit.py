"""What was done with the gallery and when: a log chained by hashes that outlives who is in it.

Each entry's hash covers its own fields and the hash before it; the last one is kept sealed by the
device key, so that entries cut off at the end are missed too. Entries hold random numbers, times
and counts; name and consent stand in them sealed by the person's key, and only their hash enters
the chain: `forget` removes them and the chain still holds. Somebody with the device key can forge
it, and an older copy of the whole file looks as right as it did then.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

from edge_runtime.errors import GalleryError
from edge_runtime.gallery.clock import now
from edge_runtime.gallery.database import Database
from edge_runtime.gallery.vault import Vault

FORGOTTEN = "forgotten"
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
    """The last entry's number and hash."""

    number: int
    hash: bytes


def append(
    database: Database, device: Vault, event: str, *, subject: bytes | None = None,
    counts: dict[str, int] | None = None, sealed: bytes | None = None,
) -> None:
    """Add an entry, within the caller's transaction."""
    head = _head(database, device)
    counted = msgspec.json.encode(counts or {}).decode()
    entry = Entry(head.number + 1, now(), event, subject, counted, sealed,
                  hashlib.sha256(sealed).digest() if sealed else None, b"")
    digest = entry.hash_after(head.hash)
    database.execute(f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                     entry.number, entry.time, event, subject, entry.counts, sealed,
                     entry.sealed_hash, digest)
    database.execute("UPDATE gallery SET audit_head = ?", device.seal(
        msgspec.msgpack.encode(Head(entry.number, digest)), _HEAD))


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
    head = _head(database, device)
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
        elif hashlib.sha256(entry.sealed).digest() != entry.sealed_hash:
            raise _broken(database, f"the name in {entry} was changed")


def _head(database: Database, device: Vault) -> Head:
    [(sealed,)] = database.execute("SELECT audit_head FROM gallery")
    if sealed is None:
        return Head(0, _START)
    content = device.unseal(sealed, _HEAD)
    if content is None:
        raise _broken(database, "the seal on its end was changed")
    return msgspec.msgpack.decode(content, type=Head)


def _broken(database: Database, what: str) -> GalleryError:
    return GalleryError(f"{database.path}: the audit log does not hold: {what}; somebody altered "
                        "the file outside of visavox: put a copy in its place")
