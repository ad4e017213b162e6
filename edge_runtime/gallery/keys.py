"""Keys and what they seal: the device key, from a file or from the environment, wraps each person's
key, and AES-256-GCM encrypts single values, each bound to what it is and to whose it is.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import os
import secrets
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.errors import GalleryError
from edge_runtime.files import config_folder

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12  # random: one key encrypts far fewer than the 2**32 values that this allows
_CONTEXT = b"visavox gallery 1\0"


def new_key() -> bytes:
    """A random key for AES-256."""
    return secrets.token_bytes(KEY_BYTES)


class Vault:
    """What one key encrypts for one owner: a person's id, or nothing for the device itself."""

    def __init__(self, key: bytes, owner: bytes = b"") -> None:
        self._cipher = cipher(key)
        self._owner = owner

    def seal(self, content: bytes, purpose: str) -> bytes:
        """A random nonce, then the ciphertext with its tag."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, self._context(purpose))

    def unseal(self, sealed: object, purpose: str) -> bytes | None:
        """The content; None where key, owner or purpose are others or a byte was changed."""
        from cryptography.exceptions import InvalidTag

        if not isinstance(sealed, bytes):  # as somebody else may have put into a column
            return None
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:],
                                        self._context(purpose))
        except (InvalidTag, ValueError):  # ValueError: too short for a nonce
            return None

    def _context(self, purpose: str) -> bytes:
        return _CONTEXT + purpose.encode() + b"\0" + self._owner


def cipher(key: bytes) -> AESGCM:
    """AES-256-GCM with this key. GalleryError where the package is missing."""
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise GalleryError("enrolled people are stored with the package 'cryptography', which is "
                           "not installed; pip install 'visavox[gallery]'") from None
    return AESGCM(key)


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


# What link(2) says on FAT, exFAT, SMB, sshfs, virtiofs and Android.
_WITHOUT_LINKS = {errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS,
                  errno.EMLINK}
_WAIT_S = 10.0


def place_new(draft: Path, path: Path) -> None:
    """Give `draft` the name `path` where no file has it; where one has, that one stays. The draft
    may be left, for the caller to delete."""
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    except OSError as error:
        if error.errno not in _WITHOUT_LINKS:
            raise
        _place_alone(draft, path)


def _place_alone(draft: Path, path: Path) -> None:
    """A folder is made by one program alone on every file system, so that it serves as a lock."""
    lock = path.with_name(f"{path.name}.lock")
    until_s = time.monotonic() + _WAIT_S
    while True:
        try:
            lock.mkdir()
            break
        except FileExistsError:
            if time.monotonic() > until_s:
                raise GalleryError(f"{path}: expected to make this file, found another program at "
                                   f"it for {_WAIT_S:.0f} s; end it, or delete the folder {lock}"
                                   ) from None
            time.sleep(0.05)
    try:
        if not path.exists():
            draft.replace(path)
    finally:
        lock.rmdir()
