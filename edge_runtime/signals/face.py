"""From a crop of a face, as a file or in memory, to the face network's input; whole photographs are
refused with what to do.

Smaller pictures are not looked at: `visavox crop` gives and collections hold them, cameras do not.
The limits were set on crops of kiosk95, people30 and wild95 enlarged three times, so that they are
looked at (none was refused), and on drawn rooms of 640 x 480 (all were).
"""

from __future__ import annotations

import functools
import io
import struct
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt

from edge_runtime.errors import InputError, UsageError
from edge_runtime.signals.detection import Detector, HaarDetector, Picture
from edge_runtime.signals.picture_file import ORIENTATION, PictureSource, picture_source
from edge_runtime.signals.picture_format import PICTURES, conversion, foreign_format, upright_rgb

if TYPE_CHECKING:
    from PIL import Image

# Pillow's warnings of sizes and odd tags are for programmers. Not warnings.catch_warnings around a
# reading: that swaps the filters of all threads, and a kiosk's camera reads pictures while FastAPI,
# in another thread, makes its routes and relies on filters of its own.
warnings.filterwarnings("ignore", module=r"PIL\.")

# What reading allocates: 7 bytes for a pixel, 13 of a progressive JPEG and 19 of a WebP. With these
# limits that is at most 350 MB, and 100 MB of file.
MAX_MEGAPIXELS = 50
MAX_MEGAPIXELS_HELD_TWICE = 25  # of progressive JPEG and WebP
MAX_SIDE = 20_000  # pixels; a row takes memory of its own
MAX_BYTES = 100_000_000
_UPPER_BITS = 63  # the brightest of colours of 14 bits in 16, of which Pillow keeps the upper 8

# What Pillow's readers let through on damaged files.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, RuntimeError, TypeError, LookupError,
            OverflowError, struct.error)


def read_picture(path: Path) -> npt.NDArray[np.uint8]:
    """Read a picture in a format of `formats`, upright as its EXIF tag says.

    Returns RGB, uint8 [height, width, 3]; of several frames, the first. Raises InputError if the
    file is missing, empty, no picture, damaged, cut off, or larger than the limits above (refused
    before it is decoded).
    """
    if not path.is_file():
        raise InputError(f"{path}: no such picture file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty (0 bytes), expected a picture")
    try:
        with path.open("rb") as file:
            return decode_picture(file, str(path))
    except OSError as error:
        raise InputError(f"{path}: expected a picture that can be read ({error.strerror})"
                         ) from None


def decode_picture(file: BinaryIO, name: str) -> npt.NDArray[np.uint8]:
    """The same of an open file; `name` is what messages call it."""
    from PIL import Image

    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise InputError(f"{name}: the picture takes over {MAX_BYTES // 10**6} MB, at most as much "
                         "is read; save it as JPEG")
    try:
        source = picture_source(content)
        if source is None:
            raise InputError(f"{name}: expected a picture ({PICTURES}), found "
                             f"{foreign_format(content) or 'none of these'}"
                             f"{conversion(name, 'face')}")
        del content
        if source.size is not None:
            _refuse_huge(name, source.size, source)
        with Image.open(io.BytesIO(source.content), formats=[source.format]) as picture:
            _refuse_huge(name, picture.size, source)
            rgb = upright_rgb(picture, source.orientation, unsigned=source.unsigned)
    except Image.DecompressionBombError:
        raise InputError(f"{name}: the picture has far over {MAX_MEGAPIXELS} megapixels; "
                         "make it smaller first") from None
    except _DAMAGED as error:
        raise InputError(f"{name}: {_damage(error)}; take it again") from None
    if source.deep and 0 < rgb.max() <= _UPPER_BITS:
        raise InputError(f"{name}: expected colours of 8 or 16 bits, found 16 of which only the "
                         "lower ones are used; save it with 8 bits")
    return rgb


def from_pillow(picture: Image.Image) -> npt.NDArray[np.uint8]:
    """RGB, uint8 [height, width, 3], upright, of a picture that Pillow has opened or made.

    InputError where it is empty, damaged, or larger than the limits above.
    """
    width, height = picture.size
    if not width * height:
        raise InputError(f"expected a picture of at least one pixel, found one of {width}x{height}")
    _refuse_huge("the picture", picture.size)
    try:
        return upright_rgb(picture, _orientation(picture))
    except _DAMAGED as error:
        raise InputError(f"the picture: {_damage(error)}; take it again") from None


def _orientation(picture: Image.Image) -> int:
    """1 to 8; 1, as it is, where EXIF is broken or says something else, as for files."""
    try:
        found = picture.getexif().get(ORIENTATION)
    except _DAMAGED:
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _damage(error: Exception) -> str:
    reason = " ".join(str(error).split())
    if "truncated" in reason.lower():
        return f"the picture is cut off, its end is missing ({reason})"
    return f"the picture is damaged ({reason})"


def _refuse_huge(
    name: str, size: tuple[int, int], source: PictureSource | None = None
) -> None:
    megapixels = size[0] * size[1] / 1e6
    most, kind = MAX_MEGAPIXELS, ""
    if source and (source.format == "WEBP" or source.progressive):
        most, kind = MAX_MEGAPIXELS_HELD_TWICE, (
            " of a progressive JPEG" if source.progressive else " of a WebP")
    if megapixels > most:
        raise InputError(f"{name}: the picture has {size[0]}x{size[1]} pixels "
                         f"({megapixels:.0f} megapixels), at most {most} are read{kind}; "
                         "make it smaller first")
    if max(size) > MAX_SIDE:
        raise InputError(f"{name}: the picture has {size[0]}x{size[1]} pixels, at most {MAX_SIDE} "
                         "are read on a side; cut out the face first")


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


LEAST_SIDE = 240  # pixels of a picture that is looked at, as high as the smallest camera's
_CROP_SHARE = 0.4  # of the shorter side: a crop's face fills more (0.8 where we cut it)
_SURE = 5.5  # the cascade's score; what it finds by mistake on crops has less
_MARGIN = 0.25  # sides: close crops show a detector too little around the face
_CAMERA_ASPECT, _CAMERA_PIXELS = 1.25, 2_000_000  # 5:4; upright pictures only if they are large
_one_at_a_time = threading.Lock()  # a cascade is not for several threads


def read_face(path: Path) -> Picture:
    """A crop of a face, as `read_picture`. InputError where it is a whole photograph, too."""
    return _checked(read_picture(path), str(path))


def decode_face(file: BinaryIO, name: str) -> Picture:
    """The same of an open file; `name` is what messages call it."""
    return _checked(decode_picture(file, name), name)


def _checked(picture: Picture, name: str) -> Picture:
    why = photograph(picture)
    if why:
        raise InputError(f"{name}: expected a crop of a face, found a whole photograph ({why}); "
                         "give it as --picture, or cut the face out with 'visavox crop'")
    return picture


def photograph(picture: Picture) -> str | None:
    """Why RGB, uint8 [height, width, 3], is a whole photograph and no crop of a face.

    The face is looked for where there is OpenCV. Where none is found, the shape decides: cameras
    give wide pictures, or large ones, and faces are not wide.
    """
    height, width = picture.shape[:2]
    shorter = min(height, width)
    if shorter < LEAST_SIDE:
        return None
    detector = _detector()
    if detector is not None:
        edge = round(_MARGIN * shorter)
        with _one_at_a_time:
            boxes = detector.detect(np.pad(picture, ((edge, edge), (edge, edge), (0, 0)), "edge"))
        share = boxes[0].width / shorter if boxes else 0.0
        if share >= _CROP_SHARE:
            return None
        if boxes and (boxes[0].score or 0) >= _SURE:
            return f"the face fills {100 * share:.0f} % of its shorter side"
    wide = width / height
    if wide >= _CAMERA_ASPECT or (1 / wide >= _CAMERA_ASPECT and height * width > _CAMERA_PIXELS):
        return f"it has a camera's shape, {width}x{height}"
    return None


@functools.cache
def _detector() -> Detector | None:
    try:
        return HaarDetector()
    except UsageError:
        return None
