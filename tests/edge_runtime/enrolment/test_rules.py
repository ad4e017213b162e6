"""However somebody is enrolled, the one table of rules holds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import get_args

import pytest

from edge_runtime.apps.cli import enroll
from edge_runtime.apps.kiosk.service import Service
from edge_runtime.enrolment.files import read_samples
from edge_runtime.enrolment.live import LiveEnrolment
from edge_runtime.enrolment.rules import RULES, Angle, judge_picture
from edge_runtime.errors import DuplicateError, GalleryError
from edge_runtime.gallery.samples import NewSample
from edge_runtime.gallery.store import Gallery
from edge_runtime.signals.detection import HaarDetector
from edge_runtime.signals.face_quality import FaceReason, VoiceReason, usable_face
from tests.edge_runtime.apps.kiosk.stand_ins import Scene, room
from tests.edge_runtime.enrolment.ways import PICTURES, Ways

WAYS: dict[str, Callable[..., None]] = {
    "files": Ways.files, "live": Ways.live, "kiosk": Ways.kiosk}  # the phone's: tests/.../phone
LOOKING = ("live", "kiosk")


@pytest.fixture
def ways(enrolling_service: Service, scene: Scene, tmp_path: Path) -> Iterator[Ways]:
    with enrolling_service.station:
        yield Ways(enrolling_service, scene, tmp_path)


def test_every_flaw_is_refused_or_let_pass() -> None:
    words = {*get_args(FaceReason), *get_args(VoiceReason)}
    assert words - set(RULES.refused) == {"some_noise"}
    assert set(RULES.refused) <= words


def test_the_table_is_data() -> None:
    assert json.loads(json.dumps(asdict(RULES)))["wanted"]["kiosk"] == {"faces": 3, "clips": 3}


@pytest.mark.parametrize("reason", PICTURES)
@pytest.mark.parametrize("way", LOOKING)
def test_what_a_camera_sees_is_refused_alike(
    ways: Ways, gallery: Gallery, way: str, reason: str
) -> None:
    picture = PICTURES[reason]
    box, [flaw] = judge_picture(picture, HaarDetector().detect(picture))
    assert (box, flaw.reason) == (None, reason)
    with pytest.raises(GalleryError) as caught:
        WAYS[way](ways, "Anna", [picture])
    told, expected = (re.sub(r"\d+", "", said) for said in (str(caught.value), flaw.message))
    assert told == expected and gallery.people() == []


def test_identifying_takes_the_largest_of_several_faces() -> None:
    picture = PICTURES["several_faces"]
    boxes = HaarDetector().detect(picture)
    assert len(boxes) == 2 and usable_face(picture, boxes)[0] == boxes[0]


@pytest.mark.parametrize("way", WAYS)
def test_two_people_under_one_name(ways: Ways, gallery: Gallery, way: str) -> None:
    def of_another(samples: list[NewSample]) -> list[NewSample]:
        return [*samples[:-1], replace(samples[-1], embedding=-samples[-1].embedding)]

    with pytest.raises(GalleryError, match="not agree with the other faces"):
        WAYS[way](ways, "Anna", [room(1), room(1, 1)], of_another)
    assert gallery.people() == []


@pytest.mark.parametrize("way", WAYS)
def test_somebody_who_is_enrolled_already(ways: Ways, gallery: Gallery, way: str) -> None:
    ways.files("Anna", [room(1), room(1, 1)])
    with pytest.raises(DuplicateError, match="'Annika' seems to be enrolled already as 'Anna'"):
        WAYS[way](ways, "Annika", [room(1), room(1, 1)])
    assert [person.person for person in gallery.people()] == ["Anna"]


@pytest.mark.parametrize("count", [RULES.min_samples - 1, RULES.max_samples + 1])
def test_too_few_and_too_many(ways: Ways, gallery: Gallery, count: int) -> None:
    reason = f"found {count or 'none'}"
    with pytest.raises(GalleryError, match=reason):
        read_samples(ways.identifier, [Path("x.png")] * count)
    with pytest.raises(GalleryError, match=reason):
        LiveEnrolment(ways.identifier, HaarDetector(), count, 0, 0.0)
    with pytest.raises(GalleryError, match=reason):
        gallery.enroll("Anna", [NewSample("x", "face", None)] * count)  # type: ignore[arg-type]
    if not count:  # a kiosk asks for no more than it wants
        with pytest.raises(GalleryError, match=reason):
            ways.kiosk("Anna", [])


def test_what_is_asked_for_is_allowed() -> None:
    for wanted in RULES.wanted.values():
        assert RULES.min_samples <= wanted.faces <= RULES.max_samples
        assert RULES.min_samples <= wanted.clips <= RULES.max_samples
    assert RULES.angles == get_args(Angle)
    assert RULES.wanted["kiosk"].faces == len(RULES.angles)
    assert (RULES.wanted["live"], RULES.max_samples) == (enroll.WANTED, enroll.MOST)
