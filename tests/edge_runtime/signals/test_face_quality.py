"""Gates for faces: drawn ones pass, and each way to spoil one is told by its own word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from edge_runtime.dataset.people import index_people
from edge_runtime.signals.detection import Box, Square, cut, face_square
from edge_runtime.signals.face import read_picture
from edge_runtime.signals.face_quality import MIN_SIDE, face_quality, refusals, usable_face
from train.synthetic import face_picture
from train.synthetic.faces import Identity

Picture = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def face() -> Picture:
    """A drawn face that passes, RGB [144, 144, 3]."""
    return face_picture(Identity.draw(np.random.default_rng(1)), np.random.default_rng(2))


def reasons(picture: Picture, box: Box | None = None) -> list[str]:
    flaws = face_quality(picture, box)
    for flaw in flaws:
        assert flaw.refuses and flaw.message.startswith("the face ") and "\n" not in flaw.message
    return [flaw.reason for flaw in flaws]


def scaled(face: Picture, contrast: float, brightness: float = 0.0) -> Picture:
    return np.clip(face.astype(float) * contrast + brightness, 0, 255).astype(np.uint8)


def test_most_drawn_faces_pass() -> None:
    flaws = [face_quality(face_picture(Identity.draw(np.random.default_rng(person)),
                                       np.random.default_rng([person, 1])))
             for person in range(40)]
    assert sum(map(bool, flaws)) <= 2


def test_a_blurred_face(face: Picture) -> None:
    assert reasons(face) == []
    for share in (0.03, 0.06):
        blurred = Image.fromarray(face).filter(ImageFilter.GaussianBlur(share * face.shape[0]))
        assert reasons(np.asarray(blurred)) == ["face_blurred"]


@pytest.mark.parametrize("axis", [0, 1])
def test_a_face_that_moved(face: Picture, axis: int) -> None:
    moved = np.mean([np.roll(face, step, axis) for step in range(18)], axis=0)
    assert reasons(moved.astype(np.uint8)) == ["face_blurred"]


def test_sharpness_does_not_hang_on_light(face: Picture) -> None:
    """A dark picture has small steps, and yet is sharp."""
    assert "face_blurred" not in reasons(scaled(face, 0.2))
    assert "face_blurred" not in reasons(scaled(face, 0.2, 180))


def test_light(face: Picture) -> None:
    assert reasons(scaled(face, 0.2)) == ["face_too_dark"]
    assert reasons(scaled(face, 1.5, 150)) == ["face_too_bright"]
    assert reasons(scaled(face, 0.12, 110)) == ["face_low_contrast"]


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_plain_picture_is_no_good_face(value: int) -> None:
    assert len(reasons(np.full((100, 100, 3), value, np.uint8))) == 2  # light, and sharpness


def test_a_small_face(face: Picture) -> None:
    sharp = np.asarray(Image.fromarray(face).resize((MIN_SIDE, MIN_SIDE)))
    assert reasons(sharp) == []
    assert reasons(sharp[1:]) == ["face_too_small"]
    assert "the face is 63 pixels wide with its margin, at least 64 are needed; come closer" in (
        face_quality(sharp[1:])[0].message)
    assert reasons(np.pad(sharp, ((60, 60), (60, 60), (0, 0))), Box(65, 65, 53, 53)) == []
    assert "face_too_small" in reasons(face, Box(60, 60, 53 - 1, 53 - 1))


def test_a_face_at_the_edge(face: Picture) -> None:
    """The detector's box is within the picture, and the margin around it is not."""
    room = np.pad(face, ((100, 100), (100, 100), (0, 0)), "edge")
    assert reasons(room, Box(112, 117, 120, 120)) == []
    for picture, box in ((room[:, 112:], Box(0, 117, 120, 120)),
                         (room[117:], Box(112, 0, 120, 120)),
                         (room[:, :232], Box(112, 117, 120, 120))):
        assert reasons(picture, box) == ["face_cut_off"]


def test_how_many(face: Picture) -> None:
    room = np.pad(face, ((100, 100), (100, 100), (0, 0)), "edge")
    box = Box(112, 117, 120, 120)
    assert usable_face(room, [box]) == (box, ())
    nobody, flaws = usable_face(room, [])
    assert nobody is None and [flaw.reason for flaw in flaws] == ["no_face"]
    taken, flaws = usable_face(room, [box, Box(200, 10, 50, 50), Box(300, 10, 40, 40)])
    assert taken == box and [flaw.reason for flaw in flaws] == ["several_faces"]
    assert flaws[0].message == "3 faces were found, the largest is taken"
    assert refusals(flaws) == ()
    refused, flaws = usable_face(scaled(room, 0.2), [box])
    assert refused is None and [flaw.reason for flaw in flaws] == ["face_too_dark"]


def test_the_square() -> None:
    assert face_square(Box(100, 100, 100, 100)) == Square(90, 86, 120)
    assert face_square(Box(110, 100, 80, 100)) == face_square(Box(100, 100, 100, 100))


def test_what_lies_outside_is_the_nearest_pixel(rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (20, 30, 3), np.uint8)
    np.testing.assert_array_equal(cut(picture, Square(3, 4, 10)), picture[4:14, 3:13])
    over = cut(picture, Square(-5, 12, 16))
    assert over.shape == (16, 16, 3)
    np.testing.assert_array_equal(over[:8, 5:], picture[12:, :11])
    assert (over[:8, :5] == picture[12:, :1]).all() and (over[8:, 5:] == picture[19, :11]).all()


@given(st.integers(1, 200), st.integers(1, 200), st.tuples(
    st.integers(-300, 300), st.integers(-300, 300), st.integers(1, 400), st.integers(1, 400)),
    st.integers(0, 255))
def test_boxes_anywhere(
    height: int, width: int, place: tuple[int, int, int, int], seed: int
) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    box = Box(*place)
    square = face_square(box)
    crop = cut(picture, square)
    assert crop.shape == (square.side, square.side, 3) and crop.dtype == np.uint8
    assert square.overhang(picture) >= 0
    found = {flaw.reason for flaw in face_quality(picture, box)}
    assert ("face_too_small" in found) == (square.side < MIN_SIDE)
    if square.side > max(height, width) * 1.2:
        assert "face_cut_off" in found


@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 255))
def test_crops_of_any_shape(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, rng.integers(1, 257), (height, width, 3)).astype(np.uint8)
    assert len({flaw.reason for flaw in face_quality(picture)}) == len(face_quality(picture))


@pytest.mark.data
@pytest.mark.parametrize("name", ["people30", "kiosk95", "wild95"])
def test_real_faces_are_hardly_refused_and_spoilt_ones_are(data_root: Path, name: str) -> None:
    people = index_people(data_root / name)
    faces = [read_picture(people.root / s.path) for s in people.of("face", "test")][::3]

    def refused(change: Any) -> float:
        return float(np.mean([bool(face_quality(change(face))) for face in faces]))

    def blurred(face: Picture) -> Picture:
        blur = ImageFilter.GaussianBlur(0.03 * min(face.shape[:2]))
        return np.asarray(Image.fromarray(face).filter(blur))

    assert refused(lambda face: face) < 0.02
    assert refused(blurred) > 0.9
    assert refused(lambda face: scaled(face, 0.25)) > 0.9
    assert refused(lambda face: scaled(face, 3)) > 0.8
