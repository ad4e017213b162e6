"""Every row of the gallery bound to the device key, so that a change made without it is noticed.

A digest of each table, and of the schema, is kept sealed with the end of the audit log, renewed in
the transaction that changes a row and compared whenever the file is opened or was changed by
another program. Rows are hashed as they are stored: taken out, added, copied, moved or emptied, in
any column, they give another digest.
"""

from __future__ import annotations

import hashlib

import msgspec

from edge_runtime.errors import GalleryError
from edge_runtime.gallery.database import Database

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
