"""Faces and clips however they are given: files, arrays, pictures that Pillow has opened."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge_runtime.bundle.manifest import FaceContract, Inputs, VoiceContract
from edge_runtime.errors import InputError
from edge_runtime.signals.detection import HaarDetector
from edge_runtime.signals.picture_file import ORIENTATION
from edge_runtime.signals.reader import InputReader, Stages, checked_picture
from edge_runtime.signals.voice import SAMPLE_RATE
from train.synthetic import room_picture
from train.synthetic.faces import Identity


def read(**given: Any) -> InputReader:
    """given: face, picture or voice."""
    contract = Inputs(face=FaceContract(size=64),
                      voice=VoiceContract(samples=41_200, sample_rate=SAMPLE_RATE))
    reader = InputReader(contract, Stages())
    if "face" in given:
        reader.face(given["face"])
    if "picture" in given:
        reader.picture(given["picture"], HaarDetector())
    if "voice" in given:
        reader.voice(given["voice"])
    return reader


@pytest.fixture
def face() -> Image.Image:
    """A picture that is not the same in any two directions."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 60, 3), np.uint8))


@pytest.mark.parametrize(("given", "found"), [
    ({"face": np.zeros((64, 64), np.uint8)}, "RGB, uint8 .* found uint8 \\[64, 64\\];"),
    ({"face": np.zeros((64, 64, 4), np.uint8)}, "found uint8 \\[64, 64, 4\\];"),
    ({"face": np.zeros((0, 64, 3), np.uint8)}, "found uint8 \\[0, 64, 3\\];"),
    ({"face": np.full((64, 64, 3), 0.5, np.float32)}, "found float32 .* from 0.5 to 0.5;"),
    ({"picture": np.zeros((480, 640), np.uint8)}, "found uint8 \\[480, 640\\];"),
    ({"face": b"face.png"}, "expected a picture as a path, .* found bytes;"),
    ({"face": "nowhere.png"}, "nowhere.png: no such picture file"),
    ({"face": Image.new("RGB", (0, 64))}, "at least one pixel, found one of 0x64"),
    ({"face": Image.new("1", (10_000, 10_000))}, "at most 50 are read"),
    ({"voice": np.zeros(16_000)}, "mono, float32 .* at 16000 Hz, found float64 "),
    ({"voice": np.zeros((16_000, 2), np.float32)}, "found float32 \\[16000, 2\\]"),
    ({"voice": np.full(16_000, 100, np.int16)}, "found int16 "),
    ({"voice": np.full(16_000, 100, np.float32)}, "found float32 .* from 100 to 100;"),
    ({"voice": np.full(16_000, np.nan, np.float32)}, "found float32 .* from nan to nan;"),
    ({"voice": np.empty(0, np.float32)}, "found float32 \\[0\\];")])
def test_arrays_of_another_kind(given: dict[str, Any], found: str) -> None:
    """They would be judged without a word, and wrongly."""
    with pytest.raises(InputError, match=found):
        read(**given)


def test_however_a_picture_is_given(face: Image.Image, tmp_path: Path) -> None:
    """By a path, as text too, as an array, or by Pillow, in any of its modes and turned."""
    face.save(tmp_path / "face.png")
    expected = read(face=tmp_path / "face.png").arrays["face"]
    turned = face.transpose(Image.Transpose.ROTATE_90)
    turned.getexif()[ORIENTATION] = 6  # to be turned back
    with Image.open(tmp_path / "face.png") as opened:
        for one in (str(tmp_path / "face.png"), np.asarray(face), face, opened,
                    face.convert("RGBA"), turned):
            np.testing.assert_array_equal(read(face=one).arrays["face"], expected)


def test_a_whole_picture_by_pillow() -> None:
    room, _ = room_picture(Identity.draw(np.random.default_rng(1)), np.random.default_rng(2))
    by_array, by_pillow = read(picture=room), read(picture=Image.fromarray(room))
    assert by_array.box is not None and by_pillow.box == by_array.box


@pytest.mark.parametrize("orientation", [0, 9, -1, "6", (6, 6), 2.5, None])
def test_an_orientation_that_is_none(face: Image.Image, orientation: object) -> None:
    """As in files, what stands beside a picture does not spoil it."""
    face.getexif()[ORIENTATION] = orientation
    np.testing.assert_array_equal(checked_picture(face), np.asarray(face))


@pytest.mark.parametrize("exif", [
    b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0",
    b"Exif\0\0nothing that is a TIFF"])
def test_exif_that_is_broken(face: Image.Image, exif: bytes) -> None:
    content = io.BytesIO()
    face.save(content, "PNG", exif=exif)
    with Image.open(content) as opened:
        np.testing.assert_array_equal(checked_picture(opened), np.asarray(face))


def test_a_picture_that_ends_too_soon(face: Image.Image) -> None:
    content = io.BytesIO()
    face.save(content, "JPEG")
    with (Image.open(io.BytesIO(content.getvalue()[:1500])) as opened,
          pytest.raises(InputError, match="the picture is cut off")):
        checked_picture(opened)
