"""From Pillow's picture to upright RGB of 8 bits, in strips, whatever its colours and depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # a machine that trains on packed data has no Pillow
    from PIL import Image

Array = npt.NDArray[Any]

_STRIP = 1 << 20  # pixels that are converted at once
# What white may be: of 1, 8, 10, 12, 14, 16, 31 and 32 bits; of signed numbers, half of it.
_WHITES = (1, 2**8 - 1, 2**10 - 1, 2**12 - 1, 2**14 - 1, 2**16 - 1, 2**31 - 1, 2**32 - 1)
# How an upright picture was turned before it was stored, by EXIF orientation; each is a view.
_STORED: dict[int, Callable[[Array], Array]] = {
    1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2), 6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2), 8: lambda a: np.rot90(a, -1),
}


def upright_rgb(
    picture: Image.Image, orientation: int, *, unsigned: bool = False
) -> npt.NDArray[np.uint8]:
    """RGB, uint8 [height, width, 3], turned as `orientation` (of EXIF, 1 to 8) says.

    Grey of more than 8 bits becomes 8 bits by what white is in it (`white_of`). unsigned: whole
    numbers of 32 bits, which Pillow takes for signed ones.
    """
    picture.load()
    width, height = picture.size
    sides = (width, height) if orientation >= 5 else (height, width)
    upright = np.empty((*sides, 3), np.uint8)
    stored = _STORED[orientation](upright)
    if picture.mode[0] in "IF":
        for rows, grey in _to_eight_bits(picture, unsigned):
            stored[rows] = grey[..., np.newaxis]
    else:
        for rows, strip in _strips(picture):
            stored[rows] = np.asarray(strip.convert("RGB"))
    return upright


def _strips(picture: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """Pillow's own conversion of all at once takes as much memory again, twice."""
    width, height = picture.size
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        yield slice(top, bottom), picture.crop((0, top, width, bottom))


def _to_eight_bits(
    picture: Image.Image, unsigned: bool
) -> Iterator[tuple[slice, npt.NDArray[np.uint8]]]:
    def strips() -> Iterator[tuple[slice, Array]]:
        for rows, strip in _strips(picture):
            grey = np.asarray(strip)
            grey = grey.view(np.uint32) if unsigned and grey.dtype == np.int32 else grey
            yield rows, np.nan_to_num(grey.astype(np.float64), posinf=0, neginf=0)

    low, high = np.inf, -np.inf
    for _, grey in strips():
        low, high = min(low, float(grey.min())), max(high, float(grey.max()))
    black, white = range_of(low, high, whole=picture.mode != "F")
    for rows, grey in strips():
        share = np.clip((grey - black) / (white - black), 0, 1)
        # 16 bits are cut to their upper 8, as everywhere else.
        yield rows, np.minimum(share * 256, 255).astype(np.uint8)


def range_of(low: float, high: float, *, whole: bool) -> tuple[float, float]:
    """What is black and what is white in a picture whose grey goes from `low` to `high`.

    No format says how many of its bits a camera fills: white is the least that a number of bits
    gives and that holds the picture, or the brightest pixel where that is far below. whole: there
    are whole numbers only, of 8 bits at least.
    """
    signed = low < -0.05 * max(high, 1e-9)
    whites = [(white - 1) / 2 if white > 1 else white for white in _WHITES] if signed else (
        list(_WHITES))
    reach = max(high, -low) if signed else high
    known = [white for white in whites if not (whole and white < 127)]
    # Of numbers with a sign, there is one more below zero than above: -128 to 127.
    white = next((white for white in known if high <= white
                  and (not signed or -low <= white + (white > 1))), reach)
    if reach < white / 4 and white != known[0]:
        white = reach
    return (-white - (white > 1) if signed else 0), white
