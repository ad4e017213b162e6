"""What Pillow is given of a picture file: the picture alone."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge_runtime.errors import InputError
from edge_runtime.signals.face import MAX_BYTES, decode_picture
from edge_runtime.signals.picture_file import picture_source
from edge_runtime.signals.picture_format import PICTURE_FORMATS, foreign_format

Array = npt.NDArray[Any]
NOISE = np.random.default_rng(7).integers(0, 256, (24, 40, 3), np.uint8)


def saved(form: str, array: Array = NOISE, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, form, **options)
    return file.getvalue()


def decoded(content: bytes) -> Array:
    return decode_picture(io.BytesIO(content), "a picture")


@pytest.mark.parametrize("form", PICTURE_FORMATS)
def test_each_format_is_known_by_its_beginning(form: str) -> None:
    content = saved(form, NOISE[..., 0] if form == "GIF" else NOISE)
    source = picture_source(content)
    assert source is not None and source.format == form
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    np.testing.assert_array_equal(decoded(content), pixels)


@pytest.mark.parametrize("options", [
    {"compression": name} for name in ("raw", "tiff_lzw", "tiff_deflate", "packbits",
                                       "tiff_adobe_deflate")] + [{"big_tiff": True}])
def test_tiffs_are_the_same_without_their_tags(options: dict[str, Any]) -> None:
    content = saved("tiff", tiffinfo={270: "a text " * 500}, icc_profile=bytes(999), **options)
    source = picture_source(content)
    assert source is not None
    np.testing.assert_array_equal(decoded(content), NOISE)
    with Image.open(io.BytesIO(source.content)) as picture:
        assert 270 not in picture.tag_v2 and 258 in picture.tag_v2  # type: ignore[attr-defined]


def test_of_several_frames_the_first_is_taken() -> None:
    later = [Image.fromarray(np.full_like(NOISE, level)) for level in (10, 200)]
    for form in ("png", "tiff", "webp"):
        extra = {"lossless": True} if form == "webp" else {}
        content = saved(form, save_all=True, append_images=later, **extra)
        np.testing.assert_array_equal(decoded(content), NOISE)


def test_the_second_picture_of_a_phone_is_left_out() -> None:
    content = saved("mpo", save_all=True, append_images=[Image.new("RGB", (40, 24))])
    source = picture_source(content)
    assert source is not None and source.content.count(b"\xff\xd8") == 1
    assert decoded(content).std() > 20


def test_colours_of_adobes_jpegs_stay() -> None:
    """Their inks are inverted, which only a marker beside the picture says."""
    inks = Image.fromarray(np.full((16, 16, 3), (200, 100, 50), np.uint8)).convert("CMYK")
    file = io.BytesIO()
    inks.save(file, "jpeg", quality=95)
    assert b"Adobe" in file.getvalue()
    assert np.abs(decoded(file.getvalue()).mean(axis=(0, 1)) - (200, 100, 50)).max() < 6


def test_a_file_far_larger_than_pictures_are() -> None:
    class Endless(io.BytesIO):
        def read(self, count: int | None = -1, /) -> bytes:
            assert count is not None and count > 0
            return b"\xff\xd8\xff" + bytes(count - 3)

    with pytest.raises(InputError, match=r"^a picture: the picture takes over 100 MB"):
        decode_picture(Endless(), "a picture")
    assert MAX_BYTES == 100_000_000


@pytest.mark.parametrize(("content", "found"), [
    (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"), (b"%PDF-1.7\n", "PDF"),
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"), (b"\0\0\0\x1cftypavif", "AVIF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"), (b"8BPS\0\1", "Photoshop"),
    (b"P3\n2 2\n255\n" + b"9 " * 12, "PPM in text"), (b"P2 ", "PPM in text"),
    (b"RIFF\0\0\0\0AVI LIST", "none of these"), (b"BLP2", "none of these")])
def test_formats_that_nobody_meant_are_not_tried(content: bytes, found: str) -> None:
    with pytest.raises(InputError) as caught:
        decoded(content + bytes(600))
    assert str(caught.value) == (f"a picture: expected a picture (JPEG, PNG, WebP, TIFF, BMP, GIF "
                                 f"or PPM), found {found}; convert it to JPEG")
    assert (foreign_format(content) or "none of these") == found


WIDE_TIFF_TYPES = st.sampled_from([1, 2, 3, 4, 5, 7, 12, 13, 16, 0, 99])


@given(st.lists(st.tuples(st.integers(0, 65_535), WIDE_TIFF_TYPES, st.integers(0, 2**32 - 1),
                          st.integers(0, 2**32 - 1)), max_size=20),
       st.integers(0, 9), st.booleans())
def test_exif_of_any_kind_never_refuses_a_picture(
    tags: list[tuple[int, int, int, int]], orientation: int, little: bool
) -> None:
    order, mark = ("<", b"II*\0") if little else (">", b"MM\0*")
    rest = [struct.pack(f"{order}HHII", *tag) for tag in tags if tag[0] != 0x0112]
    entries = [*rest, struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)]
    exif = (mark + struct.pack(f"{order}IH", 8, len(entries)) + b"".join(entries))
    for form in ("jpeg", "png"):
        source = picture_source(saved(form, exif=b"Exif\0\0" + exif))
        assert source is not None
        assert source.orientation == (orientation if 1 <= orientation <= 8 else 1)
        turned = source.orientation >= 5
        assert decoded(saved(form, exif=b"Exif\0\0" + exif)).shape == (
            (40, 24, 3) if turned else (24, 40, 3))


CONTENTS = {form: saved(form, NOISE[..., 0] if form == "GIF" else NOISE) for form in
            PICTURE_FORMATS} | {"PROGRESSIVE": saved("jpeg", progressive=True),
                                "TIFF, packed": saved("tiff", compression="tiff_lzw")}


@given(st.sampled_from(sorted(CONTENTS)),
       st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 255)), max_size=10),
       st.integers(0, 400))
def test_damage_ends_in_a_picture_or_in_one_line(
    name: str, changes: list[tuple[int, int]], cut: int
) -> None:
    content = bytearray(CONTENTS[name])
    for at, value in changes:
        content[at % len(content)] = value
    try:
        found = decoded(bytes(content[:len(content) - cut]))
    except InputError as error:
        assert "\n" not in str(error) and str(error).startswith("a picture: ")
    else:
        assert found.dtype == np.uint8 and found.shape[2] == 3
