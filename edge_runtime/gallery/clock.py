"""The times that the gallery stores: UTC to the second, which sort as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

REJECTED_DAYS = 30  # how long a "not this person" sample is kept


def now() -> str:
    """For example 2026-11-25T09:30:00+00:00."""
    return _text(datetime.now(UTC))


def oldest_rejected() -> str:
    """Rejected samples from before are to be deleted."""
    return _text(datetime.now(UTC) - timedelta(days=REJECTED_DAYS))


def _text(time: datetime) -> str:
    return time.isoformat(timespec="seconds")
