"""Proof that nothing of a person is left: a search for their bytes in the gallery and its copies.

What was encrypted is random to look at, so that even a small piece of it tells. A marker (an id, a
wrapped key, a ciphertext) is cut into pieces of 8 bytes, and every place of every file is compared
with every piece: whatever is left of a marker in 15 bytes on end is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_runtime.errors import GalleryError

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
