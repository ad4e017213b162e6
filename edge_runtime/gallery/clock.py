"""The times that the gallery stores: UTC to the second, which sort as text.

A Pi without a battery starts in 1970, or when it was last shut down, until the network tells the
time; and a clock may be ahead for a moment. So no time is stored that lies before the one stored
last, as far as a clock behind explains that, and by a clock that is plainly wrong nothing is
deleted.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

REJECTED_DAYS = 30  # how long a "not this person" sample is kept
EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)  # there was no gallery before
MOST = timedelta(days=366)  # that a gallery may have lain idle before its clock is doubted


def stamp(last: str | None) -> str:
    """The time to store, for example 2026-11-25T09:30:00+00:00. last: what was stored before."""
    now, before = datetime.now(UTC), _moment(last)
    behind = before is not None and now < before and (now < EARLIEST or before - now < MOST)
    return _text(before if before is not None and behind else now)


def oldest_rejected(last: str | None) -> str:
    """Rejected samples from before are to be deleted; none where the clock cannot be right: before
    the gallery's last entry, or far after it."""
    now, before = datetime.now(UTC), _moment(last)
    right = before is not None and max(before, EARLIEST) <= now <= before + MOST
    return _text(now - timedelta(days=REJECTED_DAYS)) if right else ""


def is_dated_wrongly(time: str) -> bool:
    """Whether the clock was plainly wrong when this was stored."""
    found = _moment(time)
    return found is None or not EARLIEST <= found <= datetime.now(UTC)


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _text(time: datetime) -> str:
    return time.isoformat(timespec="seconds")
