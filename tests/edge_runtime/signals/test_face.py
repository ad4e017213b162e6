"""Pictures: every kind that is read, every kind that is refused, and with which words."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge_runtime.errors import InputError
from edge_runtime.signals.face import (
    MAX_MEGAPIXELS,
    decode_picture,
    face_input,
    read_picture,
    square_face,
)

Array = npt.NDArray[Any]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def scene() -> Array:
    """Four plain quarters, which survive JPEG: red, green over blue, white. RGB [40, 60, 3]."""
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:20, :30] = 255, 0, 0
    picture[:20, 30:] = 0, 255, 0
    picture[20:, :30] = 0, 0, 255
    picture[20:, 30:] = 255, 255, 255
    return picture


def refusal(path: Path) -> str:
    """The one line with which a picture is refused; it begins with the file."""
    with pytest.raises(InputError) as caught:
        read_picture(path)
    message = str(caught.value)
    assert "\n" not in message and message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


# How an upright picture has to be turned before it is stored under each EXIF orientation.
STORED = {
    1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2), 6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2), 8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", STORED)
def test_pictures_come_out_upright(tmp_path: Path, scene: Array, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(STORED[orientation](scene))
    Image.fromarray(stored).save(tmp_path / "turned.jpg", quality=95, subsampling=0, exif=exif)
    found = read_picture(tmp_path / "turned.jpg")
    assert found.shape == scene.shape
    assert np.abs(found.astype(int) - scene).mean() < 4


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.webp", "A.PNG"])
def test_formats_without_loss_come_out_the_same(tmp_path: Path, scene: Array, name: str) -> None:
    Image.fromarray(scene).save(tmp_path / name, lossless=True)
    found = read_picture(tmp_path / name)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, scene)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path: Path, scene: Array, mode: str) -> None:
    path = tmp_path / ("picture.tif" if mode == "CMYK" else "picture.png")
    picture = Image.fromarray(scene).convert(mode)
    picture.save(path)
    found = read_picture(path)
    assert found.shape == scene.shape and found.dtype == np.uint8
    np.testing.assert_array_equal(found, np.asarray(picture.convert("RGB")))
    if mode in ("P", "RGBA"):
        assert np.abs(found.astype(int) - scene).max() <= 1


def test_a_see_through_palette_is_read(tmp_path: Path, scene: Array) -> None:
    Image.fromarray(scene).convert("P").save(tmp_path / "p.png", transparency=0)
    assert read_picture(tmp_path / "p.png").shape == scene.shape


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bit_grey_keeps_its_shades(tmp_path: Path, ending: str) -> None:
    grey = np.linspace(0, 65_535, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(grey).save(tmp_path / f"grey.{ending}")
    found = read_picture(tmp_path / f"grey.{ending}")
    np.testing.assert_array_equal(found, np.dstack([grey >> 8] * 3))


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "face.jpg"
    text.write_text("I am no picture, whatever my name says.\n" * 20)
    assert refusal(text) == ("expected a picture (JPEG, PNG, WebP, TIFF, BMP, GIF or PPM), found "
                             "none of these; convert it to JPEG")
    empty = tmp_path / "empty.jpg"
    empty.touch()
    assert refusal(empty) == "the file is empty (0 bytes), expected a picture"
    assert refusal(tmp_path / "nobody.jpg") == "no such picture file"
    assert refusal(tmp_path) == "no such picture file"


@pytest.mark.parametrize(("name", "share"), [("a.jpg", 0.5), ("a.png", 0.5), ("a.bmp", 0.9)])
def test_truncated_pictures_are_refused(
    tmp_path: Path, rng: np.random.Generator, name: str, share: float
) -> None:
    path = tmp_path / name
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert refusal(path).startswith("the picture is cut off, its end is missing (")
    assert refusal(path).endswith("); take it again")


def test_damage_of_any_kind_is_an_input_error(tmp_path: Path, scene: Array) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    path, draw = tmp_path / "damaged.jpg", random.Random(0)
    for form, options in (("jpeg", {"exif": exif}), ("png", {"exif": exif}), ("webp", {}),
                          ("gif", {}), ("tiff", {}), ("ppm", {}), ("bmp", {}),
                          ("tiff", {"compression": "tiff_lzw"}), ("jpeg", {"progressive": True})):
        file = io.BytesIO()
        Image.fromarray(scene).save(file, form, **options)
        for _ in range(60):
            content = bytearray(file.getvalue())
            for _ in range(draw.randrange(1, 12)):
                near = draw.random() < 0.6
                content[draw.randrange(min(len(content), 200) if near else len(content))] = (
                    draw.choice((0, 255, draw.randrange(256))))
            path.write_bytes(content)
            try:
                assert read_picture(path).dtype == np.uint8
            except InputError as error:
                assert "\n" not in str(error)


@pytest.mark.parametrize("tags", [
    [(0x0100, 2, 4, b"ten\0")],
    [(0x011A, 10, 1, struct.pack(">I", 8))],  # a resolution, of which none is a fraction
    [(0x010F, 2, 100, struct.pack(">I", 60_000))],  # a maker's name beyond the end
    [(0x8769, 4, 1, struct.pack(">I", 8))],  # a directory that holds itself
    [(0x9003, 99, 7, b"\xff\xff\xff\xff")],
], ids=["width in text", "no fraction", "beyond the end", "circle", "no type"])
@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "tiff"])
def test_orientation_counts_whatever_else_is_broken(
    tmp_path: Path, scene: Array, tags: list[tuple[int, int, int, bytes]], form: str
) -> None:
    entries = sorted([*tags, (0x0112, 3, 1, struct.pack(">HH", 6, 0))])
    exif = (b"MM\0*" + struct.pack(">IH", 8, len(entries))
            + b"".join(struct.pack(">HHI4s", *entry) for entry in entries) + bytes(4))
    path, stored = tmp_path / f"a.{form}", np.ascontiguousarray(STORED[6](scene))
    if form == "tiff":
        path.write_bytes(turned_tiff(stored, tags))
    else:
        extra = {"quality": 95} if form == "jpeg" else {} if form == "png" else {"lossless": True}
        Image.fromarray(stored).save(path, form, exif=b"Exif\0\0" + exif, **extra)
    found = read_picture(path)
    assert found.shape == scene.shape and np.abs(found.astype(int) - scene).mean() < 4


def turned_tiff(stored: Array, tags: list[tuple[int, int, int, bytes]]) -> bytes:
    """Plain RGB, to be turned by orientation 6, with further tags."""
    height, width = stored.shape[:2]

    def word(*values: int) -> bytes:
        return struct.pack(f">{len(values)}H", *values).ljust(4, b"\0")

    entries = dict({tag: (kind, count, value) for tag, kind, count, value in tags})
    entries |= {256: (3, 1, word(width)), 257: (3, 1, word(height)), 258: (3, 1, word(8)),
                259: (3, 1, word(1)), 262: (3, 1, word(2)), 0x0112: (3, 1, word(6)),
                273: (4, 1, struct.pack(">I", 400)), 277: (3, 1, word(3)),
                278: (3, 1, word(height)), 279: (4, 1, struct.pack(">I", stored.size))}
    directory = b"".join(struct.pack(">HHI4s", tag, *entry)
                         for tag, entry in sorted(entries.items()))
    head = b"MM\0*" + struct.pack(">IH", 8, len(entries)) + directory
    return head.ljust(400, b"\0") + stored.tobytes()


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "tiff"])
def test_broken_profiles_and_texts_refuse_no_picture(
    tmp_path: Path, scene: Array, form: str
) -> None:
    path = tmp_path / f"a.{form}"
    extra: dict[str, Any] = {"quality": 95} if form == "jpeg" else {}
    if form in ("jpeg", "webp"):
        extra |= {"xmp": b"<x:xmpmeta" + bytes(range(256))}
    Image.fromarray(scene).save(path, form, icc_profile=b"no profile" * 9, **extra)
    if form == "png":
        content = path.read_bytes()
        at = content.index(b"iCCP")
        path.write_bytes(content[:at + 8] + b"\xff\xff" + content[at + 10:])  # and its checksum
    assert read_picture(path).shape == scene.shape


def png_of_nothing(width: int, height: int) -> bytes:
    """A PNG whose header promises width x height grey pixels and which holds next to none."""
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (struct.pack(">I", len(content)) + kind + content
                + struct.pack(">I", zlib.crc32(kind + content)))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))


@pytest.mark.parametrize(("width", "height", "message"), [
    (20_000, 20_000, "the picture has far over 50 megapixels; make it smaller first"),
    (10_000, 10_000, "the picture has 10000x10000 pixels (100 megapixels), at most 50 are read; "
                     "make it smaller first"),
    (8_000, 6_501, "the picture has 8000x6501 pixels (52 megapixels), at most 50 are read; "
                   "make it smaller first"),
    (1, 49_000_000, "the picture has 1x49000000 pixels, at most 20000 are read on a side; cut out "
                    "the face first"),
    (20_001, 1, "the picture has 20001x1 pixels, at most 20000 are read on a side; cut out the "
                "face first"),
])
def test_huge_pictures_are_refused_before_they_are_decoded(
    tmp_path: Path, width: int, height: int, message: str
) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(png_of_nothing(width, height))
    before = Image.core.get_stats()["new_count"]
    assert refusal(path) == message
    assert Image.core.get_stats()["new_count"] == before


def test_the_limit_itself_is_let_through(tmp_path: Path) -> None:
    """Exactly MAX_MEGAPIXELS is not huge; this one is cut off instead."""
    path = tmp_path / "large.png"
    path.write_bytes(png_of_nothing(MAX_MEGAPIXELS * 100, 10_000))
    before = Image.core.get_stats()["new_count"]
    assert refusal(path).startswith("the picture is cut off, its end is missing (")
    assert Image.core.get_stats()["new_count"] > before


def test_what_pillow_warns_of_is_not_passed_on(tmp_path: Path, run_python: Run) -> None:
    (tmp_path / "huge.png").write_bytes(png_of_nothing(10_000, 10_000))
    tags = struct.pack(">HHII", 0x010F, 2, 100, 1000)  # a maker's name beyond the end
    Image.new("RGB", (8, 8)).save(tmp_path / "odd.jpg", exif=(
        b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + tags + bytes(4)))
    with pytest.warns(Image.DecompressionBombWarning), Image.open(tmp_path / "huge.png"):
        pass
    with pytest.warns(UserWarning, match="Tag data"), Image.open(tmp_path / "odd.jpg") as picture:
        picture.getexif().items()
    program = """
import sys
from pathlib import Path
from edge_runtime.errors import InputError
from edge_runtime.signals.face import read_picture
print(read_picture(Path(sys.argv[1])).shape)
try:
    read_picture(Path(sys.argv[2]))
except InputError as error:
    print(error)
"""
    done = run_python("-W", "error", "-c", program, tmp_path / "odd.jpg",
                      tmp_path / "huge.png")
    assert done.returncode == 0 and not done.stderr
    assert done.stdout.startswith("(8, 8, 3)") and "100 megapixels" in done.stdout


def test_other_threads_keep_their_filters_of_warnings(scene: Array) -> None:
    """While a picture is read, the filters are those of before: all threads share them."""
    before, seen = warnings.filters, []

    class Watching(io.BytesIO):
        def read(self, *arguments: Any) -> bytes:
            seen.append(warnings.filters)
            return super().read(*arguments)

    file = io.BytesIO()
    Image.fromarray(scene).save(file, "png")
    decode_picture(Watching(file.getvalue()), "a picture")
    assert seen and all(filters is before for filters in seen)


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 70))
def test_a_square_of_any_size(height: int, width: int, size: int) -> None:
    picture = np.full((height, width, 3), 7, np.uint8)
    found = square_face(picture, size)
    assert found.shape == (size, size, 3) and found.dtype == np.uint8
    assert (found == 7).all()


def test_the_square_is_the_middle_one(rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (30, 50, 3), np.uint8)
    np.testing.assert_array_equal(square_face(picture, 30), picture[:, 10:40])
    np.testing.assert_array_equal(square_face(picture.transpose(1, 0, 2), 30),
                                  picture.transpose(1, 0, 2)[10:40])


def test_reducing_averages(rng: np.random.Generator) -> None:
    """A fine checkerboard becomes grey and not a coarse one."""
    board = np.indices((96, 96)).sum(axis=0) % 2 * np.uint8(255)
    found = square_face(np.dstack([board] * 3).astype(np.uint8), 24)
    assert np.abs(found.astype(int) - 128).max() < 12


def test_the_networks_input_keeps_0_to_255(scene: Array) -> None:
    found = face_input(square_face(scene, 32))
    assert found.shape == (1, 32, 32, 3) and found.dtype == np.float32
    assert (found.min(), found.max()) == (0, 255)
