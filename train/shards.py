"""Many arrays in few files, none larger than can be sent, each checked by its hash when read."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.errors import PeopleError

ENTRY_BYTES = 1024  # what a file has beside each array's content, generously

Array = npt.NDArray[np.uint8] | npt.NDArray[np.int16]


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One file, `shard_000.npz` and so on: compressed arrays by name."""

    file: str
    bytes: int
    sha256: str


class ShardWriter:
    """Gathers arrays and writes a shard whenever one more might not fit below `shard_bytes`."""

    def __init__(self, folder: Path, shard_bytes: int) -> None:
        self.folder, self.shard_bytes = folder, shard_bytes
        self._arrays: dict[str, Any] = {}
        self._bytes = ENTRY_BYTES
        self._written: list[Shard] = []

    def add(self, name: str, array: Array) -> int:
        """The number of the shard that will hold the array."""
        needed = array.nbytes + array.nbytes // 1000 + ENTRY_BYTES  # noise grows when compressed
        if self._arrays and self._bytes + needed >= self.shard_bytes:
            self._write()
        self._arrays[name] = array
        self._bytes += needed
        return len(self._written)

    def finished(self) -> list[Shard]:
        """All shards, the last one written now."""
        self._write()
        return self._written

    def _write(self) -> None:
        file = self.folder / f"shard_{len(self._written):03}.npz"
        np.savez_compressed(file, **self._arrays)
        content = file.read_bytes()
        self._written.append(Shard(file=file.name, bytes=len(content),
                                   sha256=hashlib.sha256(content).hexdigest()))
        self._arrays, self._bytes = {}, ENTRY_BYTES


def read_arrays(
    folder: Path, shards: Sequence[Shard], places: Sequence[tuple[str, int]]
) -> Iterator[Array]:
    """The arrays of `places`, which are names and numbers of shards, in that order.

    A shard is read once for a row of neighbours. PeopleError for one that is missing or damaged.
    """
    arrays: dict[str, Array] = {}
    current = -1
    for name, number in places:
        if number != current:
            arrays, current = _read_shard(folder, shards, number), number
        if name not in arrays:
            raise PeopleError(f"{folder}: expected '{name}' in shard {number}, found none; the "
                              "pack is damaged, copy it again")
        yield arrays[name]


def _read_shard(folder: Path, shards: Sequence[Shard], number: int) -> dict[str, Array]:
    if not 0 <= number < len(shards):
        raise PeopleError(f"{folder}: expected {len(shards)} shards, found one of number {number}; "
                          "the pack is damaged, copy it again")
    shard, file = shards[number], folder / shards[number].file
    if not file.is_file():
        raise PeopleError(f"{file}: expected a shard of {shard.bytes} bytes, found none; copy it "
                          "into the pack again")
    content = file.read_bytes()
    if (len(content), hashlib.sha256(content).hexdigest()) != (shard.bytes, shard.sha256):
        raise PeopleError(f"{file}: expected {shard.bytes} bytes with the SHA-256 "
                          f"{shard.sha256[:12]}..., found {len(content)} with other contents; the "
                          "shard is damaged, copy it again")
    try:
        with np.load(io.BytesIO(content)) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (ValueError, zipfile.BadZipFile) as error:
        raise PeopleError(f"{file}: expected arrays, found {error}; pack again with 'python -m "
                          "train pack'") from None
