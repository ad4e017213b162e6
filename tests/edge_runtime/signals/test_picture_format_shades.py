"""Every colour and depth becomes RGB of 8 bits, and upright."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from edge_runtime.errors import InputError
from edge_runtime.signals import picture_format
from edge_runtime.signals.face import decode_picture
from edge_runtime.signals.picture_format import range_of

Array = npt.NDArray[Any]
GREY = np.linspace(0, 255, 60 * 70).reshape(60, 70).astype(np.uint8)  # black to white


def read(picture: Image.Image, form: str = "tiff", **options: Any) -> Array:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return decode_picture(io.BytesIO(file.getvalue()), "a picture")


@pytest.mark.parametrize(("array", "form"), [
    (GREY.astype("f4") / 255, "tiff"), (GREY.astype("f4"), "tiff"),
    (GREY.astype("f4") * 257, "tiff"), (GREY.astype("f4") * 5 / 255, "tiff"),
    (GREY.astype("f4") / 127.5 - 1, "tiff"),
    (GREY.astype("i4"), "tiff"), (GREY.astype("i4") << 8, "tiff"),
    (GREY.astype("i4") << 23, "tiff"),
    (GREY.astype("i4") - 128, "tiff"), ((GREY.astype("i4") - 128) << 8, "tiff"),
    ((GREY.astype("i4") - 128) << 24, "tiff"), (GREY.astype("i4") * 400, "tiff"),
    (GREY.astype("u2") << 2, "tiff"), (GREY.astype("u2") << 4, "tiff"),
    (GREY.astype("u2") << 6, "tiff"), (GREY.astype("u2") << 8, "tiff"),
    (GREY.astype("u2") << 2, "png"), (GREY.astype("u2") << 8, "png"),
    (GREY.astype("u2") << 8, "ppm"),
], ids=lambda value: getattr(value, "dtype", value))
def test_grey_of_every_depth_keeps_its_shades(array: Array, form: str) -> None:
    found = read(Image.fromarray(array), form)
    np.testing.assert_array_equal(found[..., 0], found[..., 1])
    assert np.abs(found[..., 0].astype(int) - GREY).max() <= 1


def test_a_dark_picture_of_8_bits_stays_dark() -> None:
    for dark in (GREY // 8, (GREY // 8).astype("i4")):
        assert read(Image.fromarray(dark)).max() == 31


def test_infinite_and_missing_values_are_black() -> None:
    array = GREY.astype("f4") / 255
    array[0, :3] = np.nan, np.inf, -np.inf
    found = read(Image.fromarray(array))
    assert found[0, :3].max() == 0 and found.max() == 255


@pytest.mark.parametrize("depth", ["<u4", ">u4"])
def test_unsigned_numbers_of_32_bits(depth: str) -> None:
    """Pillow writes signed ones; the tag that says so is changed."""
    file = io.BytesIO()
    Image.fromarray((GREY.astype("u4") << 24).view("i4")).save(file, "tiff")
    content = file.getvalue().replace(b"\x53\x01\x03\x00\x01\x00\x00\x00\x02\x00",
                                      b"\x53\x01\x03\x00\x01\x00\x00\x00\x01\x00")
    assert content != file.getvalue()
    found = decode_picture(io.BytesIO(content), "a picture")
    assert np.abs(found[..., 0].astype(int) - GREY).max() <= 1


@pytest.mark.parametrize(("mode", "form"), [
    ("1", "png"), ("1", "tiff"), ("1", "bmp"), ("L", "jpeg"), ("LA", "png"), ("P", "png"),
    ("P", "gif"), ("PA", "tiff"), ("RGB", "ppm"), ("RGBA", "webp"), ("CMYK", "jpeg"),
    ("CMYK", "tiff"), ("YCbCr", "jpeg"), ("YCbCr", "tiff"), ("LAB", "tiff")])
def test_every_kind_of_colour(mode: str, form: str) -> None:
    grey = Image.fromarray(GREY)
    picture = grey.convert("RGB")
    if mode == "LAB":
        picture = Image.merge("LAB", [grey, *[Image.new("L", grey.size, 128)] * 2])
    elif mode == "PA":
        picture = grey.convert("LA")
    else:
        picture = (grey if mode == "P" else picture).convert(mode)
    found = read(picture, form)
    assert found.shape == (60, 70, 3)
    expected = 255 * (GREY > 127) if mode == "1" else GREY
    tolerance = 255 if mode == "1" else 6 if mode != "LAB" else 25
    assert np.abs(found.mean(axis=2) - expected).mean() <= tolerance / 3
    assert found[-1].mean() > found[0].mean() + 150


def test_colours_of_which_only_lower_bits_are_used_are_refused() -> None:
    """Pillow keeps the upper 8 bits of 16: 10 bits would come out black."""
    cv2 = pytest.importorskip("cv2")
    for bits, read_well in ((10, False), (12, False), (16, True)):
        colours = np.stack([GREY.astype(np.uint16) << (bits - 8)] * 3, axis=2)
        for ending in (".png", ".tif"):
            content = io.BytesIO(cv2.imencode(ending, colours)[1].tobytes())
            if read_well:
                assert decode_picture(content, "a picture").max() >= 254
                continue
            with pytest.raises(InputError, match=r"^a picture: expected colours of 8 or 16 bits"):
                decode_picture(content, "a picture")


def test_strips_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (33, 21, 3), np.uint8)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        whole = read(Image.fromarray(colours), "png", exif=exif)
        with monkeypatch.context() as patch:
            patch.setattr(picture_format, "_STRIP", 50)
            np.testing.assert_array_equal(read(Image.fromarray(colours), "png", exif=exif), whole)


@given(st.floats(-2.0**31, 2.0**32), st.floats(-2.0**31, 2.0**32), st.booleans())
@example(0.0, -2.0, False)
def test_the_range_holds_the_picture_and_is_not_far_larger(
    one: float, other: float, whole: bool
) -> None:
    low, high = sorted((round(one), round(other)) if whole else (one, other))
    black, white = range_of(low, high, whole=whole)
    assert black <= 0 < white and white >= high
    assert black <= low or low >= -0.05 * max(high, 1e-9) or high < 0
    largest = max(high, -low if black else high)
    assert white <= max(4.01 * largest, 255)
