"""Crops of faces are taken, whole photographs are refused."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edge_runtime.dataset.collection import read_collection
from edge_runtime.dataset.people import index_people
from edge_runtime.errors import InputError
from edge_runtime.signals import face
from edge_runtime.signals.detection import HaarDetector, cut, face_crop, face_square
from edge_runtime.signals.face import LEAST_SIDE, decode_face, photograph, read_face
from train.synthetic import face_picture, room_picture
from train.synthetic.faces import Identity

Array = npt.NDArray[Any]


@pytest.fixture(scope="module")
def rooms() -> list[Array]:
    rng = np.random.default_rng(20)
    return [room_picture(Identity.draw(rng), rng)[0] for _ in range(8)]


@pytest.fixture(scope="module")
def faces() -> list[Array]:
    rng = np.random.default_rng(21)
    return [face_picture(Identity.draw(rng), rng, 320) for _ in range(8)]


def test_whole_photographs_are_found(rooms: list[Array]) -> None:
    assert all(photograph(room) for room in rooms)
    by_face = [why for room in rooms if "fills" in (why := photograph(room) or "")]
    assert len(by_face) >= 5


def test_crops_are_taken(rooms: list[Array], faces: list[Array]) -> None:
    found = [box for room in rooms for box in HaarDetector().detect(room)[:1]]
    crops = [face_crop(room, box) for room, box in zip(rooms, found, strict=False)]
    large = [np.asarray(Image.fromarray(crop).resize((300, 300))) for crop in crops]
    assert len(large) >= 6
    assert [photograph(face) for face in [*faces, *large]] == [None] * (len(faces) + len(large))


def test_portraits_upright_and_wide(faces: list[Array]) -> None:
    """A face that fills the height of a wide picture is a crop; so is an upright one."""
    face = faces[0]
    wide = np.pad(face, ((0, 0), (60, 60), (0, 0)), "edge")
    assert photograph(wide) is None and photograph(wide.transpose(1, 0, 2)) is None


def test_small_pictures_are_not_looked_at(rooms: list[Array]) -> None:
    room = rooms[0][:, :480]
    side = LEAST_SIDE - 1
    assert photograph(np.asarray(Image.fromarray(room).resize((side, side)))) is None


@pytest.mark.parametrize(("width", "height", "whole"), [
    (640, 480, True), (480, 640, False), (4000, 3000, True), (3000, 4000, True),
    (1080, 1920, True), (512, 512, False), (600, 700, False), (2000, 2000, False)])
def test_without_opencv_the_shape_decides(
    monkeypatch: pytest.MonkeyPatch, width: int, height: int, whole: bool
) -> None:
    monkeypatch.setattr(face, "_detector", lambda: None)
    why = photograph(np.full((height, width, 3), 90, np.uint8))
    assert why == (f"it has a camera's shape, {width}x{height}" if whole else None)


def test_the_line_says_what_to_do(tmp_path: Path, rooms: list[Array]) -> None:
    path = tmp_path / "photo.png"
    Image.fromarray(rooms[0]).save(path)
    with pytest.raises(InputError, match=r"expected a crop of a face, found a whole photograph "
                                         r"\(.*\); give it as --picture, or cut the face out with "
                                         "'visavox crop'") as caught:
        read_face(path)
    assert str(caught.value).startswith(f"{path}: ")
    with pytest.raises(InputError, match=r"^the face: expected a crop"):
        decode_face(io.BytesIO(path.read_bytes()), "the face")


def test_photographs_among_training_faces_are_named(
    tmp_path: Path, small_people: Path, rooms: list[Array]
) -> None:
    people = index_people(small_people)
    for sample in people.samples:
        target = tmp_path / sample.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to((small_people / sample.path).resolve())
    odd = tmp_path / people.names[0] / "face" / "photo.png"
    Image.fromarray(rooms[0]).save(odd)
    found = read_collection(index_people(tmp_path), 32)
    assert [line for line in found.problems if line.startswith(f"{odd}: expected a crop")]
    assert not any(sample.path.endswith("photo.png") for sample in found.faces)


@pytest.mark.data
@pytest.mark.parametrize("name", ["kiosk95", "people30", "wild95"])
def test_no_real_crop_is_refused(data_root: Path, name: str) -> None:
    """Some of each, enlarged so that they are looked at."""
    files = sorted((data_root / name).glob("*/face/*"))[::97]
    crops = [Image.open(file).convert("RGB") for file in files]
    large = [np.asarray(crop.resize((3 * crop.width, 3 * crop.height))) for crop in crops]
    assert len(large) > 3 and not any(map(photograph, large))


def test_a_cut_with_a_wide_margin_is_still_a_crop(rooms: list[Array]) -> None:
    """As people cut by hand: twice as wide as the face's box."""
    box = next(iter(HaarDetector().detect(rooms[1])))
    square = face_square(box)
    margin = square.side // 2
    by_hand = cut(rooms[1], type(square)(square.left - margin // 2, square.top - margin // 2,
                                         square.side + margin))
    large = np.asarray(Image.fromarray(by_hand).resize((400, 400)))
    assert photograph(large) is None
