"""Memory that a kiosk gives back.

glibc gives each thread an arena of its own, which keeps the most that it ever needed, and after the
first large block that is freed takes others of that size from arenas too. A kiosk decodes pictures
in many threads, for months: its memory grew by a tenth within half an hour.
"""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h of glibc
_ARENAS = 2
_LARGE_BYTES = 256 * 1024  # blocks of this size go back to the system when they are freed


def keep_memory_small() -> None:
    """To be called before threads begin. Does nothing where the C library has no mallopt."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
