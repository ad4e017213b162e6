"""From a picture file to the face network's input: reading, square crop, size."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt

from edge_runtime.errors import InputError
from edge_runtime.foreign_formats import conversion

if TYPE_CHECKING:  # a machine that trains on packed data has no Pillow
    from PIL import Image

# Pillow's warnings of sizes and odd tags are for programmers. Not warnings.catch_warnings around a
# reading: that swaps the filters of all threads, and a kiosk's camera reads pictures while FastAPI,
# in another thread, makes its routes and relies on filters of its own.
warnings.filterwarnings("ignore", module=r"PIL\.")

MAX_MEGAPIXELS = 50  # a decoded RGB picture of this size takes 150 MB, what a Pi can spare

# What Pillow's readers let through on damaged files.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, RuntimeError, TypeError, LookupError,
            OverflowError, struct.error)


def read_picture(path: Path) -> npt.NDArray[np.uint8]:
    """Read a picture in any format that Pillow knows, upright as its EXIF tag says.

    Returns RGB, uint8 [height, width, 3]. Raises InputError if the file is missing, empty, no
    picture, damaged, or larger than MAX_MEGAPIXELS (refused before it is decoded).
    """
    if not path.is_file():
        raise InputError(f"{path}: no such picture file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty (0 bytes), expected a picture")
    return decode_picture(path, str(path))


def decode_picture(file: Path | BinaryIO, name: str) -> npt.NDArray[np.uint8]:
    """The same of an open file; `name` is what messages call it."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(file) as picture:
            _refuse_huge(name, picture.size)
            return np.asarray(_eight_bit(ImageOps.exif_transpose(picture)).convert("RGB"))
    except UnidentifiedImageError:
        raise InputError(f"{name}: expected a picture (JPEG, PNG, ...), found no format that "
                         f"Pillow reads{conversion(name, 'face')}") from None
    except Image.DecompressionBombError:
        raise InputError(f"{name}: the picture has far over {MAX_MEGAPIXELS} megapixels; "
                         "make it smaller first") from None
    except _DAMAGED as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{name}: the picture is damaged ({reason}); take it again") from None


def _eight_bit(picture: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit grey: Pillow's own conversion cuts off at 255, which leaves white."""
    if not picture.mode.startswith("I"):
        return picture
    from PIL import Image

    grey = np.asarray(picture).astype(np.int64)
    return Image.fromarray((np.clip(grey, 0, 65_535) >> 8).astype(np.uint8))


def _refuse_huge(name: str, size: tuple[int, int]) -> None:
    megapixels = size[0] * size[1] / 1e6
    if megapixels > MAX_MEGAPIXELS:
        raise InputError(f"{name}: the picture has {size[0]}x{size[1]} pixels "
                         f"({megapixels:.0f} megapixels), at most {MAX_MEGAPIXELS} are read; "
                         "make it smaller first")


def square_face(picture: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    """Cut the middle square out of a face crop and resize it.

    picture: RGB, uint8 [height, width, 3]. Returns uint8 [size, size, 3]. The square keeps the
    proportions of the face; Pillow's bilinear filter is antialiased when it reduces. Where there is
    no Pillow, numpy gives the same pixels, slower.
    """
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[top : top + side, left : left + side]
    if side == size:
        return np.ascontiguousarray(square)
    try:
        from PIL import Image
    except ImportError:
        return resized_without_pillow(square, size)
    resized = Image.fromarray(square).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def resized_without_pillow(square: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    """Pillow's bilinear resize to the bit: uint8 [side, side, 3] -> uint8 [size, size, 3].

    Across, then down, rounded to whole numbers between; the weights have 22 binary places, so that
    the sums are whole numbers that float64 holds exactly.
    """
    side = square.shape[0]
    scale = side / size
    reach = max(scale, 1.0)
    centres = ((np.arange(size) + 0.5) * scale)[:, np.newaxis]
    places = np.arange(side)
    inside = ((places >= (centres - reach + 0.5).astype(np.int64))
              & (places < (centres + reach + 0.5).astype(np.int64)))
    triangle = np.maximum(1 - np.abs((places - centres + 0.5) * (1 / reach)), 0) * inside
    weights = np.floor(triangle / triangle.sum(axis=1, keepdims=True) * 2**22 + 0.5)
    pixels = square.astype(np.float64)
    for _ in range(2):
        sums = np.tensordot(weights, pixels, axes=(1, 1))  # [across, down, 3], then the reverse
        pixels = np.clip(np.floor((sums + 2**21) / 2**22), 0, 255)
    return pixels.astype(np.uint8)


def face_input(face: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """uint8 [size, size, 3] -> the network's input, float32 [1, size, size, 3], 0 to 255."""
    return face[np.newaxis].astype(np.float32)
