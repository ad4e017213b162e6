"""Addresses that may hold passwords and tokens: one rule for reading them, one for showing them.

Cameras carry passwords before the host, in the path and in the query, webhooks in the path: of any
address, nothing but scheme, host and port is ever shown.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

_ESCAPED = "write @ as %40, # as %23, / as %2F and ? as %3F where they do not divide it"


def split_address(text: str, schemes: Collection[str]) -> SplitResult:
    """Its parts. ValueError, which shows nothing of it, says what was found in its place.

    An @ behind the host is refused: with it, a password that holds # / or ? would be taken for a
    host, and shown.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("an address without a host, or with a port that is no number from 1 to "
                         f"65535; {_ESCAPED}") from None
    if parts.scheme not in schemes or not parts.hostname or not text.isprintable():
        raise ValueError(f"no address that begins with {' or '.join(f'{s}://' for s in schemes)} "
                         "and a host")
    if port == 0 or "@" in text.partition("//")[2][len(parts.netloc):]:
        raise ValueError("an address with an @ behind the host, or the port 0, which may be a part "
                         f"of a password; {_ESCAPED}")
    return parts


def shown_address(parts: SplitResult) -> str:
    """Its scheme, host and port."""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
