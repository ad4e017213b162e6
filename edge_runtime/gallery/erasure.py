"""Somebody is forgotten: destroyed here, and searched for in the gallery's file, its copies and the
other galleries of this device.

What was encrypted is random to look at, so that even a small piece of it tells. A marker (an id, a
wrapped key, a ciphertext) is cut into pieces of 8 bytes, and every place of every file is compared
with every piece: whatever is left of a marker in 15 bytes on end is found.

Whoever was carried into another gallery has the same embeddings there, to the last bit; so each
gallery that was written on this device is opened and asked. What is elsewhere (another device, a
backup on another disk) no program here can know; what the audit log knows of exports is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from edge_runtime.errors import GalleryError
from edge_runtime.files import shown
from edge_runtime.gallery import audit
from edge_runtime.gallery.database import Database
from edge_runtime.gallery.opening import check_key
from edge_runtime.gallery.records import SIGNED, Records, Signed
from edge_runtime.gallery.roster import Person

_PIECE = 8  # bytes
_BLOCK = 1 << 22  # bytes read at a time
_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True)
class Searched:
    """A file, its size, and how many places in it hold a piece of a marker."""

    path: Path
    bytes: int
    places: int


def files_beside(gallery: Path) -> list[Path]:
    """The gallery, its -wal, -shm and -journal, and what may be its backups: every file in its
    folder whose name begins as its own does, and every SQLite file there."""
    stem = gallery.name.removesuffix(gallery.suffix).casefold()
    return [path for path in sorted(gallery.absolute().parent.iterdir()) if path.is_file()
            and (path.name.casefold().startswith(stem) or _head(path) == _SQLITE)]


def search_files(paths: Iterable[Path], markers: Sequence[bytes]) -> list[Searched]:
    """Search every file for every marker. GalleryError where one cannot be read."""
    pieces = np.unique(np.concatenate([_pieces(marker) for marker in markers]))
    searched = []
    for path in paths:
        try:
            searched.append(Searched(path, path.stat().st_size, _places(path, pieces)))
        except FileNotFoundError:  # another program has closed the gallery, and with it its -wal
            continue
        except PermissionError:
            raise GalleryError(f"{path}: cannot be searched for want of permission; look yourself "
                               "whether it is a copy of the gallery, and delete it") from None
    return searched


def _pieces(marker: bytes) -> npt.NDArray[np.uint64]:
    whole = len(marker) // _PIECE * _PIECE
    return np.frombuffer(marker[:whole], "<u8")


def _places(path: Path, pieces: npt.NDArray[np.uint64]) -> int:
    # Most places are ruled out by their first two bytes, in one look at a table.
    begins = np.zeros(1 << 16, np.bool_)
    begins[pieces & np.uint64(0xFFFF)] = True
    found = 0
    overlap = b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            block = overlap + block
            for shift in range(_PIECE):
                count = (len(block) - shift) // _PIECE
                if count < 1:
                    continue
                words = np.frombuffer(block, "<u8", count, shift)
                words = words[begins[words & np.uint64(0xFFFF)]]
                found += int(np.isin(words, pieces).sum())
            overlap = block[-(_PIECE - 1) :]
    return found


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE))
    except PermissionError:
        return b""


@dataclass(frozen=True)
class Forgotten:
    """What was destroyed, and the files that were searched for what might be left of it.
    elsewhere: sentences on what is known to hold them, and was not or cannot be searched."""

    person: str
    markers: int
    searched: tuple[Searched, ...]
    elsewhere: tuple[str, ...]


def forget(records: Records, name: str) -> Forgotten:
    """See Gallery.forget."""
    database = records.database
    database.empty_log()
    with records.writing():
        person = records.find(name)
        own = _embeddings(records, person)
        elsewhere = [*_exports(records, person), *_source(records, person)]
        markers = records.delete_person(person)
    records.roster.people()  # which takes their key and templates out of memory
    try:
        database.execute("VACUUM")
        database.empty_log()
    except GalleryError as error:
        raise GalleryError(f"{shown(person.name)} is deleted, but old pages may be left until all "
                           f"programs close the gallery: {error}") from None
    searched = _search(records, markers)
    left = [str(file.path) for file in searched if file.places]
    enrolled, unseen = _in_other_galleries(records, own)
    if left or enrolled:
        remedy = [f"delete {', '.join(left)}, which holds bytes of theirs"] if left else []
        remedy += [f"'visavox forget {shown(other)} --gallery {path}', where they were carried to"
                   for path, other in enrolled]
        raise GalleryError(f"{shown(person.name)} is deleted from the gallery, but not from "
                           f"everywhere: {'; '.join([*remedy, *elsewhere, *unseen])}")
    return Forgotten(person.name, len(markers), tuple(searched), (*elsewhere, *unseen))


def _search(records: Records, markers: list[bytes]) -> list[Searched]:
    # A file that is closed takes SQLite's locks on it away, so SQLite has to close it before.
    records.database.close()
    try:
        return search_files(files_beside(records.database.path), markers)
    finally:
        records.database.reopen()
        records.roster.reopened()


def _embeddings(records: Records, person: Person) -> set[bytes]:
    """Of their templates, but for damaged ones."""
    rows = records.database.execute("SELECT modality, embedding FROM samples WHERE person = ? AND "
                                    "kind = 'template'", person.id)
    return {embedding for modality, sealed in rows
            if (embedding := person.vault.unseal(sealed, f"template {modality}"))}


def _exports(records: Records, person: Person) -> list[str]:
    """Exports written while they were enrolled."""
    found = []
    for time, sealed in records.database.execute(
            "SELECT time, sealed FROM audit WHERE event = 'exported' AND number > "
            "(SELECT MIN(number) FROM audit WHERE subject = ?)", person.subject):
        file = Path((records.device.unseal(sealed, audit.EXPORT_FILE) or b"").decode() or "-")
        where = ("a file whose name was not kept" if file == Path("-") else
                 f"{file}, which is {'still' if file.exists() else 'no longer'} there")
        found.append(f"an export of {time[:10]} holds them: {where}")
    return found


def _source(records: Records, person: Person) -> list[str]:
    """Where they were imported from."""
    for (sealed,) in records.database.execute(
            "SELECT sealed FROM audit WHERE subject = ? AND event = 'imported'", person.subject):
        content = person.vault.unseal(sealed, SIGNED)
        source = msgspec.json.decode(content, type=Signed).source if content else None
        return [f"they were imported from {source or 'an export'}, which holds them, as does the "
                "gallery that it was made of"]
    return []


def _in_other_galleries(
    records: Records, own: set[bytes]
) -> tuple[list[tuple[Path, str]], list[str]]:
    """Galleries on this device that hold them, with their name there; and those that cannot be
    looked into."""
    enrolled: list[tuple[Path, str]] = []
    unseen: list[str] = []
    for path in records.known.others(records.database.path):
        try:
            other = Database(path, writable=False)
            try:
                check_key(other, records.device)
                found = Records(other, records.device, None, records.known)
                enrolled += [(path, person.name) for person in found.roster.people().values()
                             if own & _embeddings(found, person)]
            finally:
                other.close()
        except GalleryError as error:
            unseen.append(f"not looked into: {error}")
    return enrolled, unseen
