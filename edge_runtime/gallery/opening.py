"""A gallery's file and key, opened or made, and looked at before anything is read from it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from edge_runtime.bundle.manifest import Manifest
from edge_runtime.errors import GalleryError
from edge_runtime.gallery import audit
from edge_runtime.gallery.database import Database, create_database
from edge_runtime.gallery.keys import Vault, default_key_file, device_key
from edge_runtime.gallery.known import FOLDER, KnownGalleries
from edge_runtime.gallery.records import KEY_CHECK, Records

Mode = Literal["read", "write", "create", "audit"]


def open_records(
    path: Path, manifest: Manifest | None, key_file: Path | None, mode: Mode, *,
    force: bool,
) -> Records:
    """See Gallery.open."""
    new = not path.exists()
    if new and mode != "create":
        raise GalleryError(f"{path}: expected a gallery, found no file; enroll somebody first with "
                           "'visavox enroll'")
    if not new and (not path.is_file() or path.stat().st_size == 0):
        found = "an empty file" if path.is_file() else "a folder"
        raise GalleryError(f"{path}: expected a gallery, found {found}; put a copy in its place, "
                           "or name a file that does not exist yet")
    if new:
        first = Vault(device_key(key_file, create=True))
        create_database(path, lambda database: _fill(database, first))
    database = Database(path, writable=mode != "read")
    try:
        device = Vault(device_key(key_file))
        known = KnownGalleries((key_file or default_key_file()).parent / FOLDER, device)
        records = Records(database, device, manifest, known)
        check_key(database, device)
        if new:
            records.remember(audit.read_head(database, device))
        if mode != "audit":
            records.roster.check()
            records.check_networks()
        if mode in ("write", "create"):
            records.tidy()
            if force:
                records.force()
    except BaseException:
        database.close()
        raise
    return records


def check_key(database: Database, device: Vault) -> None:
    """GalleryError where the gallery was made with another key."""
    rows = database.execute("SELECT key_check FROM gallery")
    if not rows or device.unseal(rows[0][0], KEY_CHECK) is None:
        raise GalleryError(f"{database.path}: the device key is not the one that this gallery was "
                           "made with; name that one with --key or $VISAVOX_DEVICE_KEY")


def _fill(database: Database, device: Vault) -> None:
    with database.transaction():
        database.execute("INSERT INTO gallery (id, key_check, audit_head) VALUES (1, ?, ?)",
                         device.seal(b"", KEY_CHECK), audit.first_head(device))
        audit.append(database, device, "created")
        audit.seal(database, device)
