"""The administration's token: made by chance, kept as a hash.

A token has 100 random bits, so that guessing is hopeless at any speed, and a fast hash (HMAC with
SHA-256) keeps it as well as a slow one would. The slow one was worse: whoever sent wrong tokens had
the kiosk spend 16 MiB and tens of milliseconds on each, before it knew who has the right one. Now
the right token is let in whatever else is sent, from wherever it comes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec

from edge_runtime.apps.kiosk.visitors import household
from edge_runtime.errors import UsageError
from edge_runtime.files import as_text, config_folder

_BITS_BYTES = 13  # 104 bits, of which 100 are shown: 20 letters of base32
_BURST, _PER_S = 5, 0.5  # wrong tokens of one address
_ADDRESSES = 1000  # whose wrong tokens are remembered

Bytes = Annotated[bytes, msgspec.Meta(min_length=16, max_length=64)]


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    salt: Bytes
    sha256: Bytes


def default_token_file() -> Path:
    """Beside the device key."""
    return config_folder("name the token's file with --token-file, or set HOME"
                         ) / "kiosk-token.json"


def set_token(file: Path) -> str:
    """Make a new token, keep its hash in `file` (mode 0600), and return it: nobody can later."""
    letters = base64.b32encode(secrets.token_bytes(_BITS_BYTES)).decode().lower()[:20]
    token = "-".join(letters[i : i + 5] for i in range(0, 20, 5))
    salt = secrets.token_bytes(16)
    content = msgspec.json.encode(_Stored(salt, _digest(token, salt)))
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # of mode 0600
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content + b"\n")
    Path(name).replace(file)
    return token


class Tokens:
    """Checks tokens against the hash in `file`. UsageError where it is there and no such hash. To
    be used from one thread."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._stored: _Stored | None = None
        self._wrong = _Limiter(clock)
        try:
            text = as_text(file.read_bytes(), str(file), "the hash of a token",
                           remedy="make a new one with 'visavox kiosk --set-token'")
            self._stored = msgspec.json.decode(text, type=_Stored)
        except FileNotFoundError:
            pass
        except (msgspec.DecodeError, OSError) as error:
            raise UsageError(f"{file}: expected the hash of a token, found something else, or one "
                             f"of an earlier version ({error}); make a new one with 'visavox kiosk "
                             "--set-token'") from None

    @property
    def exists(self) -> bool:
        """Whether there is a token at all: without one, nobody may administrate."""
        return self._stored is not None

    def check(self, token: str, address: str) -> float | None:
        """None for the right token; for a wrong one 0; and where this address has given too many
        wrong ones, in how many seconds it may try again."""
        if self._stored is None:
            return 0.0
        if hmac.compare_digest(_digest(token, self._stored.salt), self._stored.sha256):
            return None
        return self._wrong.wait_s(household(address))


class _Limiter:
    """A bucket of _BURST wrong tokens for each address, which empties at _PER_S."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._full: OrderedDict[str, tuple[float, float]] = OrderedDict()  # level, when

    def wait_s(self, address: str) -> float:
        """Counts a wrong token; 0, or for how long it is one too many."""
        now_s = self._clock()
        level, when_s = self._full.get(address, (0.0, now_s))
        level = max(level - (now_s - when_s) * _PER_S, 0.0)
        if level > _BURST - 1:
            return (level - _BURST + 1) / _PER_S
        self._full[address] = (level + 1, now_s)
        self._full.move_to_end(address)
        while len(self._full) > _ADDRESSES:
            self._full.popitem(last=False)
        return 0.0


def _digest(token: str, salt: bytes) -> bytes:
    return hmac.digest(salt, token.encode(errors="surrogatepass"), hashlib.sha256)
