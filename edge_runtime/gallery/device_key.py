"""The device key, which wraps the key of each person: from a file, or from the environment."""

from __future__ import annotations

import base64
import binascii
import os
import stat
import tempfile
from pathlib import Path

from edge_runtime.errors import GalleryError
from edge_runtime.gallery.placing import place_new
from edge_runtime.gallery.vault import KEY_BYTES, new_key
from edge_runtime.places import config_folder

VARIABLE = "VISAVOX_DEVICE_KEY"
_EXPECTED = f"the base64 of {KEY_BYTES} bytes"


def default_key_file() -> Path:
    """Not beside the gallery, so that a copy of its folder does not hold both."""
    return config_folder(f"name the device key with --key or ${VARIABLE}, or set HOME"
                         ) / "device.key"


def device_key(file: Path | None = None, *, create: bool = False) -> bytes:
    """The key in `file`; without it, the environment's, or the one in the default file.

    With `create`, a missing file is made, readable by its owner alone. Raises GalleryError where
    there is no key, where it is none, and where others than the owner can read the file.
    """
    if file is None and (text := os.environ.get(VARIABLE)):
        return _decoded(text, f"${VARIABLE}", "set it to the device's own key")
    file = file or default_key_file()
    if create and not file.exists():
        _make(file)
    return _read(file)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            text = opened.read(1000).decode("utf-8-sig", "replace")
    except FileNotFoundError:
        raise GalleryError(f"{file}: the device key is missing, without which the gallery cannot "
                           f"be read; put it back, or name it with --key or ${VARIABLE}") from None
    except (PermissionError, IsADirectoryError) as error:
        raise GalleryError(f"{file}: expected a device key, found {error.strerror}; run as the "
                           "file's owner, or name another with --key") from None
    if mode & 0o077:
        raise _open_to_others(file, mode)
    return _decoded(text, str(file), "put the device's own key back")


def _decoded(text: str, where: str, remedy: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise GalleryError(f"{where}: expected {_EXPECTED}, found something else; {remedy}"
                           ) from None
    if len(key) != KEY_BYTES:
        raise GalleryError(f"{where}: expected {_EXPECTED}, found that of {len(key)}; {remedy}")
    return key


def _open_to_others(file: Path, mode: int) -> GalleryError:
    return GalleryError(
        f"{file}: expected a device key that its owner alone can read, found mode {mode:04o}; "
        f"'chmod 600 {file}', or where that changes nothing (exFAT, NTFS, SMB) mount the file "
        f"system with umask=077, name another place with --key, or set ${VARIABLE}")


def _make(file: Path) -> None:
    """Whole or not at all, also where two processes make it at the same time."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # of mode 0600
    try:
        with os.fdopen(descriptor, "wb") as opened:
            if (mode := stat.S_IMODE(os.fstat(descriptor).st_mode)) & 0o077:
                raise _open_to_others(file, mode)
            opened.write(base64.b64encode(new_key()) + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
        place_new(Path(name), file)  # where another process was quicker, its key counts
    finally:
        Path(name).unlink(missing_ok=True)
