"""Faces on whole pictures: drawn scenes, every shape, and both detectors' mistakes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.errors import InputError, UsageError
from edge_runtime.signals.detection import (
    Detector,
    HaarDetector,
    YuNetDetector,
    cut,
    face_square,
    make_detector,
)
from tests.edge_runtime.signals.drawn_yunet import STRIDE, drawn_yunet
from train.synthetic import room_picture
from train.synthetic.faces import Identity

Picture = npt.NDArray[np.uint8]
Head = tuple[int, int, int, int]


@pytest.fixture(scope="module")
def haar() -> HaarDetector:
    return HaarDetector()


@pytest.fixture(scope="module")
def yunet(tmp_path_factory: pytest.TempPathFactory) -> YuNetDetector:
    file = tmp_path_factory.mktemp("yunet") / "drawn.onnx"
    file.write_bytes(drawn_yunet())
    return YuNetDetector(file)


def scene(person: int, height: int = 480, width: int = 640) -> tuple[Picture, Head]:
    rng = np.random.default_rng([7, person])
    return room_picture(Identity.draw(rng), rng, height, width)


def test_heads_are_found_and_cropped_as_drawn_crops_are(haar: HaarDetector) -> None:
    overlaps = []
    for person in range(20):
        picture, (left, top, width, height) = scene(person)
        boxes = haar.detect(picture)
        if not boxes:
            continue
        found = face_square(boxes[0])
        side = 1.05 * height  # of a drawn crop; its middle lies 3 % below the head's
        x, y = left + width / 2 - side / 2, top + height / 2 - 0.47 * side
        across = min(found.left + found.side, x + side) - max(found.left, x)
        down = min(found.top + found.side, y + side) - max(found.top, y)
        shared = max(across, 0) * max(down, 0)
        overlaps.append(shared / (found.side**2 + side**2 - shared))
        assert boxes[0].score is not None
        assert cut(picture, found).shape == (found.side, found.side, 3)
    assert len(overlaps) >= 18
    assert np.mean(overlaps) > 0.75


def test_boxes_are_in_the_pictures_own_pixels(haar: HaarDetector) -> None:
    picture, (left, top, width, height) = scene(1)
    large = np.repeat(np.repeat(picture, 3, axis=0), 3, axis=1)
    for shown, scale in ((picture, 1), (large, 3)):
        box = haar.detect(shown)[0]
        assert scale * left < box.left + box.width / 2 < scale * (left + width)
        assert scale * top < box.top + box.height / 2 < scale * (top + height)
        assert 0.5 < box.height / (scale * height) < 1.2


def test_the_largest_comes_first(haar: HaarDetector) -> None:
    heights = {}
    for person in range(6):
        picture, (_, _, _, height) = scene(person)
        if haar.detect(picture):
            heights[height] = picture
    small, *_, large = sorted(heights)
    pair = np.concatenate([heights[small], heights[large]], axis=1)
    boxes = haar.detect(pair)
    assert len(boxes) == 2
    assert boxes[0].left >= 640 > boxes[1].left
    assert boxes[0].width > boxes[1].width


def test_nobody_is_found_where_nobody_is(haar: HaarDetector, rng: np.random.Generator) -> None:
    assert haar.detect(np.full((480, 640, 3), 128, np.uint8)) == ()
    assert haar.detect(rng.integers(0, 256, (480, 640, 3), np.uint8)) == ()


@given(st.integers(1, 700), st.integers(1, 700), st.integers(0, 255), st.sampled_from([0, 1]))
def test_pictures_of_any_shape(
    haar: HaarDetector, yunet: YuNetDetector, height: int, width: int, seed: int, which: int
) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    detector: Detector = (haar, yunet)[which]
    for box in detector.detect(picture):
        assert box.width >= 1 and box.height >= 1
        assert cut(picture, face_square(box)).shape[0] >= 1


def test_slices_and_turned_pictures(haar: HaarDetector) -> None:
    """Memory that is not in one piece."""
    picture, _ = scene(1)
    expected = haar.detect(picture)
    assert haar.detect(np.asfortranarray(picture)) == expected
    assert len(haar.detect(picture[:, ::-1])) == len(expected)


def test_yunet_sees_rgb_and_answers_in_the_pictures_pixels(yunet: YuNetDetector) -> None:
    for scale in (1, 2):
        side = STRIDE * scale
        picture = np.zeros((240 * scale, 320 * scale, 3), np.uint8)
        picture[2 * side : 3 * side, 4 * side : 5 * side, 2] = 250  # blue
        picture[0:side, 0:side, 0] = 255  # red is no face to it
        (box,) = yunet.detect(picture)
        assert (box.left, box.top, box.width, box.height) == (4 * side, 2 * side, side, side)
        assert box.score == pytest.approx(250 / 255, abs=0.01)


def test_yunet_needs_its_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="go together"):
        make_detector("yunet")
    with pytest.raises(UsageError, match="go together"):
        make_detector("haar", tmp_path / "model.onnx")
    with pytest.raises(InputError, match="no such model file"):
        make_detector("yunet", tmp_path / "model.onnx")
    with pytest.raises(UsageError, match="expected a detector of haar, yunet, found 'hog'"):
        make_detector("hog")


@pytest.mark.parametrize("content", [b"", b"no model" * 99, drawn_yunet()[:700]])
def test_a_file_that_is_no_yunet(
    tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(content)
    with pytest.raises(InputError, match="expected a YuNet model"):
        make_detector("yunet", file)
    assert capfd.readouterr().err == ""


class Absent:
    """An import that fails as the machine's would."""

    def __init__(self, error: ImportError) -> None:
        self.error = error

    def find_spec(self, name: str, *_: Any) -> None:
        if name == "cv2":
            raise self.error


@pytest.mark.parametrize(("error", "words"), [
    (ModuleNotFoundError("No module named 'cv2'"), "pip install 'visavox[capture]'"),
    (ImportError("libGL.so.1: cannot open shared object file"), "opencv-python-headless"),
])
def test_without_opencv(monkeypatch: pytest.MonkeyPatch, error: ImportError, words: str) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "cv2"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absent(error), *sys.meta_path])
    with pytest.raises(UsageError) as caught:
        make_detector()
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("part", ["CascadeClassifier", "data"])
def test_an_opencv_without_cascades(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """OpenCV 5, and Debian's own package."""
    monkeypatch.delattr(cv2, part)
    with pytest.raises(UsageError, match="expected opencv-python 4 with its Haar cascades"):
        make_detector()
