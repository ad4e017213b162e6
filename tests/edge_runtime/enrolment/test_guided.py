"""Cancelled is cancelled: nothing is kept, or it is said that it is too late and how to forget."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.apps.kiosk.service import Service
from edge_runtime.decision.identify import Identifier
from edge_runtime.enrolment.guided import Enrolment, GuidedEnrolment, TooLateError
from edge_runtime.errors import GalleryError, NameTakenError
from edge_runtime.gallery.samples import NewSample
from edge_runtime.gallery.store import Gallery

Cancelling = Callable[[], object]


@pytest.fixture
def face(kiosk_identifier: Identifier) -> NewSample:
    picture = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    return NewSample("the face (front)", "face", kiosk_identifier.embed(face=picture)["face"])


@pytest.fixture
def begun(enrolling_service: Service, face: NewSample) -> GuidedEnrolment:
    """Anna, of whom a face is taken."""
    enrolment = enrolling_service.enrolment
    enrolment.wait_s = 0.01
    enrolment.begin("Anna", "to be greeted")
    assert enrolment.begun
    enrolment.begun.samples["face front"] = face
    return enrolment


class Finishing(threading.Thread):
    """Finishes in a thread; `asked` once it has begun to."""

    def __init__(self, enrolment: GuidedEnrolment) -> None:
        super().__init__(daemon=True)
        self.asked, self.found, self.error = threading.Event(), None, None
        self._enrolment = enrolment

    def run(self) -> None:
        found = self._enrolment._asked

        def asked() -> Enrolment:
            enrolment = found()
            self.asked.set()
            return enrolment

        self._enrolment._asked = asked  # type: ignore[method-assign]
        try:
            self.found = self._enrolment.finish()
        except GalleryError as error:
            self.error = error


def finish_while_the_station_is_busy(
    enrolment: GuidedEnrolment, meanwhile: Cancelling
) -> Finishing:
    """`meanwhile` happens once finish has begun, and before it can write."""
    finishing = Finishing(enrolment)
    with enrolment._station.using:
        finishing.start()
        assert finishing.asked.wait(60)
        meanwhile()
    finishing.join(60)
    return finishing


def test_who_cancels_before_it_is_written_is_not_kept(
    begun: GuidedEnrolment, gallery: Gallery
) -> None:
    cancelled = []
    finishing = finish_while_the_station_is_busy(begun, lambda: cancelled.append(begun.cancel()))
    assert cancelled == [True] and finishing.found is None
    assert "nothing is kept" in str(finishing.error)
    assert gallery.people() == [] and "enrolled" not in {line.event for line in gallery.audit()}
    assert not begun._station.enrolling and begun.cancel() is False


def test_one_that_expires_meanwhile_is_not_kept(
    begun: GuidedEnrolment, gallery: Gallery
) -> None:
    def expire() -> None:
        begun.abandoned_s = -1.0
        begun.expire()

    finishing = finish_while_the_station_is_busy(begun, expire)
    assert "nothing is kept" in str(finishing.error) and gallery.people() == []


def test_an_enrolment_of_another_begun_meanwhile_keeps_the_other_alone(
    begun: GuidedEnrolment, gallery: Gallery
) -> None:
    def begin_another() -> None:
        begun.cancel()
        begun.begin("Ben", "to be greeted")

    finishing = finish_while_the_station_is_busy(begun, begin_another)
    assert finishing.error and gallery.people() == []
    assert begun.begun and begun.begun.name == "Ben" and not begun.begun.samples


def test_who_cancels_later_is_told_how_to_forget(
    begun: GuidedEnrolment, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(found: object) -> tuple[bool | None, str | None]:
        for refused in (begun.cancel, begun.finish, lambda: begun.face("front")):
            with pytest.raises(TooLateError, match=r"'Anna' is enrolled; forget them"):
                refused()
        assert begun._station.enrolling
        begun.expire()
        return None, "no_picture"

    monkeypatch.setattr(begun, "_check", check)
    assert begun.finish().person == "Anna" and len(gallery.people()) == 1
    assert not begun._station.enrolling
    with pytest.raises(TooLateError):  # also where the answer is on its way
        begun.cancel()
    begun.forget("anna")
    assert begun.cancel() is False and gallery.people() == []


def test_two_finishes_at_once_keep_the_person_once(
    begun: GuidedEnrolment, gallery: Gallery
) -> None:
    second = Finishing(begun)

    def finish_too() -> None:
        second.start()
        assert second.asked.wait(60)

    first = finish_while_the_station_is_busy(begun, finish_too)
    second.join(60)
    assert [bool(one.found) for one in (first, second)].count(True) == 1
    assert isinstance(first.error or second.error, TooLateError)
    assert [person.person for person in gallery.people()] == ["Anna"]


def test_who_is_forgotten_while_being_enrolled_is_not_passed_over(
    begun: GuidedEnrolment, gallery: Gallery
) -> None:
    with pytest.raises(GalleryError, match=r"'anna' is being enrolled, .* cancel the enrolment"):
        begun.forget("anna")
    with pytest.raises(GalleryError, match="nobody"):
        begun.forget("Ben")
    begun.cancel()
    with pytest.raises(GalleryError, match="nobody"):
        begun.forget("Anna")


def test_a_name_that_another_program_takes_meanwhile(
    begun: GuidedEnrolment, gallery: Gallery, face: NewSample, kiosk_identifier: Identifier,
    tmp_path: Path,
) -> None:
    """As an import does."""
    other = NewSample("another", "face", -face.embedding)
    with Gallery.open(gallery.path, kiosk_identifier.manifest, tmp_path / "device.key",
                      mode="write") as program:
        program.enroll("ANNA", [other])
        with pytest.raises(NameTakenError):
            begun.finish()
        assert begun.cancel() is True
        assert [person.person for person in program.people()] == ["ANNA"]


def test_what_is_given_up_is_no_longer_said_to_go_on(begun: GuidedEnrolment) -> None:
    begun.abandoned_s = -1.0
    with pytest.raises(GalleryError, match="nobody is being enrolled"):
        begun.face("front")
    assert not begun._station.enrolling
