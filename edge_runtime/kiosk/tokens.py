"""The administration's token: made by chance, kept as a scrypt hash, asked for no faster than this.

A token has 100 random bits, so that guessing is hopeless at any speed; the limit keeps wrong ones
from taking the processor (scrypt takes tens of milliseconds). A right one is remembered by its
SHA-256 while the kiosk runs, and is neither slow nor limited.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import tempfile
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Annotated

import msgspec

from edge_runtime.errors import UsageError
from edge_runtime.files import as_text
from edge_runtime.places import config_folder

_BITS_BYTES = 13  # 104 bits, of which 100 are shown: 20 letters of base32
_N, _R, _P = 2**14, 8, 1  # 16 MiB, tens of milliseconds: RFC 7914, interactive use
_BURST, _PER_S = 5, 0.5  # wrong tokens of one address
_ADDRESSES = 1000  # whose wrong tokens are remembered

Bytes = Annotated[bytes, msgspec.Meta(min_length=16, max_length=64)]


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    salt: Bytes
    hash: Bytes


def default_token_file() -> Path:
    """Beside the device key."""
    return config_folder("name the token's file with --token-file, or set HOME"
                         ) / "kiosk-token.json"


def set_token(file: Path) -> str:
    """Make a new token, keep its hash in `file` (mode 0600), and return it: nobody can later."""
    letters = base64.b32encode(secrets.token_bytes(_BITS_BYTES)).decode().lower()[:20]
    token = "-".join(letters[i : i + 5] for i in range(0, 20, 5))
    salt = secrets.token_bytes(16)
    content = msgspec.json.encode(_Stored(salt, _scrypt(token, salt)))
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # of mode 0600
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content + b"\n")
    Path(name).replace(file)
    return token


class Tokens:
    """Checks tokens against the hash in `file`. UsageError where it is there and no such hash."""

    def __init__(self, file: Path) -> None:
        self._stored: _Stored | None = None
        self._right: bytes | None = None  # SHA-256 of the token, once it was given
        self._wrong = _Limiter()
        try:
            text = as_text(file.read_bytes(), str(file), "the hash of a token",
                           remedy="make a new one with 'visavox kiosk --set-token'")
            self._stored = msgspec.json.decode(text, type=_Stored)
        except FileNotFoundError:
            pass
        except (msgspec.DecodeError, OSError) as error:
            raise UsageError(f"{file}: expected the hash of a token, found something else "
                             f"({error}); make a new one with 'visavox kiosk --set-token'"
                             ) from None

    @property
    def exists(self) -> bool:
        """Whether there is a token at all: without one, nobody may administrate."""
        return self._stored is not None

    def check(self, token: str, address: str) -> float | None:
        """None for the right token; for a wrong one 0; and where this address has given too many
        wrong ones, unlooked at, in how many seconds the next one is looked at."""
        if self._stored is None:
            return 0.0
        given = hashlib.sha256(token.encode(errors="replace")).digest()
        if self._right is not None and hmac.compare_digest(given, self._right):
            return None
        if wait_s := self._wrong.wait_s(address):
            return wait_s
        if hmac.compare_digest(_scrypt(token, self._stored.salt), self._stored.hash):
            self._right = given
            return None
        self._wrong.note(address)
        return 0.0


class _Limiter:
    """A bucket of _BURST wrong tokens for each address, which empties at _PER_S."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._full: OrderedDict[str, tuple[float, float]] = OrderedDict()  # level, when

    def wait_s(self, address: str) -> float:
        with self._lock:
            return max(self._level(address) - _BURST + 1, 0.0) / _PER_S

    def note(self, address: str) -> None:
        with self._lock:
            self._full[address] = (self._level(address) + 1, time.monotonic())
            self._full.move_to_end(address)
            while len(self._full) > _ADDRESSES:
                self._full.popitem(last=False)

    def _level(self, address: str) -> float:
        level, when_s = self._full.get(address, (0.0, 0.0))
        return max(level - (time.monotonic() - when_s) * _PER_S, 0.0)


def _scrypt(token: str, salt: bytes) -> bytes:
    return hashlib.scrypt(token.encode(errors="replace")[:1000], salt=salt, n=_N, r=_R, p=_P,
                          dklen=32)
