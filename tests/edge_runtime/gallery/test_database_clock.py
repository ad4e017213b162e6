"""Nothing is deleted by a clock that is plainly wrong, and what it dated is kept its time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from edge_runtime.bundle.manifest import Manifest
from edge_runtime.gallery import database
from edge_runtime.gallery.samples import NewSample
from edge_runtime.gallery.store import Gallery

SamplesOf = Callable[..., list[NewSample]]
RIGHT = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
WRONG = [datetime(1970, 1, 1, 0, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC),
         RIGHT - timedelta(days=40), RIGHT + timedelta(days=1000)]


class Clock(datetime):
    """Stands where it was set."""

    moment = RIGHT

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return cls.moment


@pytest.fixture
def at(
    path: Path, manifest: Manifest, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[datetime], Gallery]:
    """The gallery, opened for writing at a moment."""
    monkeypatch.setattr(database, "datetime", Clock)

    def opened(moment: datetime) -> Gallery:
        monkeypatch.setattr(Clock, "moment", moment)
        return Gallery.open(path, manifest, key_file, mode="create")
    return opened


@pytest.mark.parametrize("wrong", WRONG)
def test_a_clock_that_was_wrong_for_a_moment_deletes_nothing(
    at: Callable[[datetime], Gallery], samples_of: SamplesOf, wrong: datetime
) -> None:
    with at(RIGHT) as gallery:
        gallery.enroll("Anna", samples_of(1))
        gallery.reject("Anna", samples_of(2, 2, 1))
    with at(wrong) as gallery:
        assert gallery.people()[0].rejected == 3
    with at(RIGHT + timedelta(days=29)) as gallery:
        assert gallery.people()[0].rejected == 3
    with at(RIGHT + timedelta(days=31)) as gallery:
        assert gallery.people()[0].rejected == 0
        assert gallery.rejected("Anna", "face").size == 0


@pytest.mark.parametrize("wrong", WRONG)
def test_what_a_wrong_clock_dated_is_kept_for_thirty_days(
    at: Callable[[datetime], Gallery], samples_of: SamplesOf, wrong: datetime
) -> None:
    with at(RIGHT) as gallery:
        gallery.enroll("Anna", samples_of(1))
    with at(wrong) as gallery:
        gallery.reject("Anna", samples_of(2, 2, 1))
    with at(RIGHT + timedelta(minutes=5)) as gallery:
        gallery.enroll("Ben", samples_of(3))  # which brings the log back to the right time
    for days, kept in ((1, 3), (29, 3), (32, 0)):
        with at(RIGHT + timedelta(days=days)) as gallery:
            assert gallery.people()[0].rejected == kept, days


def test_a_gallery_that_began_in_1970(
    at: Callable[[datetime], Gallery], samples_of: SamplesOf
) -> None:
    with at(WRONG[0]) as gallery:
        gallery.enroll("Anna", samples_of(1))
        gallery.reject("Anna", samples_of(2, 1, 0))
    for days in (0, 29):
        with at(RIGHT + timedelta(days=days)) as gallery:
            assert gallery.people()[0].rejected == 1
            if not days:
                gallery.enroll("Ben", samples_of(3))
    with at(RIGHT + timedelta(days=61)) as gallery:
        assert gallery.people()[0].rejected == 0


def test_the_log_never_goes_back_and_heals_after_a_clock_ahead(
    at: Callable[[datetime], Gallery], samples_of: SamplesOf
) -> None:
    moments = [RIGHT, WRONG[0], RIGHT - timedelta(hours=3), WRONG[1], RIGHT + timedelta(days=1)]
    for number, moment in enumerate(moments):
        with at(moment) as gallery:
            gallery.enroll(f"person {number}", samples_of(number))
    with at(RIGHT + timedelta(days=1)) as gallery:
        days = [entry.time[:10] for entry in gallery.audit() if entry.event == "enrolled"]
    assert days == ["2026-11-25"] * 3 + ["2099-01-01", "2026-11-26"]


def test_an_hour_that_comes_twice_changes_nothing(
    at: Callable[[datetime], Gallery], samples_of: SamplesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Times are UTC, whatever the time zone says."""
    monkeypatch.setenv("TZ", "America/New_York")
    with at(datetime(2026, 11, 1, 5, 59, tzinfo=UTC)) as gallery:
        gallery.enroll("Anna", samples_of(1))
    with at(datetime(2026, 11, 1, 6, 1, tzinfo=UTC)) as gallery:
        gallery.reject("Anna", samples_of(2, 1, 0))
        assert [entry.time for entry in gallery.audit()] == [
            *["2026-11-01T05:59:00+00:00"] * 2, "2026-11-01T06:01:00+00:00"]
