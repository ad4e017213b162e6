"""Encryption of single values: AES-256-GCM, each bound to what it is and to whose it is."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from edge_runtime.errors import GalleryError

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
