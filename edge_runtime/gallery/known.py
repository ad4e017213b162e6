"""What this device remembers of galleries, beside the device key: where they are, and how far.

So an older copy of a whole gallery is noticed, which looks as right as it did then; and `forget`
knows where else to look. Each gallery has a small file, named by its path and sealed by the device
key. Where the folder cannot be written (a key from the environment, no home), nothing is
remembered and nothing else fails.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

import msgspec

from edge_runtime.gallery.keys import Vault

FOLDER = "galleries"
_PURPOSE = "known gallery"


class Known(msgspec.Struct, frozen=True):
    """A gallery when it was last written here: the number and the hash of its log's last entry."""

    path: str
    number: int
    hash: bytes


class KnownGalleries:
    """The files in `folder`, which is made when there is something to remember."""

    def __init__(self, folder: Path, device: Vault) -> None:
        self._folder, self._device = folder, device

    def find(self, path: Path) -> Known | None:
        """What is remembered of the gallery at this path."""
        return self._read(self._file(path))

    def remember(self, path: Path, number: int, hash: bytes) -> None:
        """Whole or not at all; a folder that cannot be written is let be."""
        content = msgspec.msgpack.encode(Known(os.fspath(path.resolve()), number, hash))
        file = self._file(path)
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, draft = tempfile.mkstemp(dir=self._folder)
            try:
                with os.fdopen(descriptor, "wb") as opened:
                    opened.write(self._device.seal(content, _PURPOSE))
                Path(draft).replace(file)
            except OSError:
                Path(draft).unlink(missing_ok=True)

    def others(self, path: Path) -> list[Path]:
        """Where other galleries are that were written here and are still there."""
        try:
            files = sorted(self._folder.iterdir())
        except OSError:
            return []
        found = [Path(known.path) for file in files if (known := self._read(file))]
        return [other for other in found if other.is_file() and not _same(other, path)]

    def _read(self, file: Path) -> Known | None:
        try:
            content = self._device.unseal(file.read_bytes(), _PURPOSE)
            return msgspec.msgpack.decode(content, type=Known) if content else None
        except (OSError, msgspec.DecodeError):
            return None

    def _file(self, path: Path) -> Path:
        name = os.fsencode(path.resolve())
        return self._folder / hashlib.blake2b(name, digest_size=16).hexdigest()


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
