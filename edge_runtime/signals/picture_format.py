"""Which pictures and sounds are read, how large they may be, and how those that are not read become
files that are; and from Pillow's picture to upright RGB of 8 bits, whatever its colours and depth.

Pillow and libsndfile know dozens of formats more; some start other programs (Ghostscript), some
take memory that no header tells of (AVIF, JPEG 2000). Limits count what reading allocates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL import Image

# The formats by Pillow's names, with the endings of their files.
PICTURE_FORMATS: dict[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png", ".apng"),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
}
# The same by libsndfile's names.
SOUND_FORMATS: dict[str, tuple[str, ...]] = {
    "WAV": (".wav", ".wave"),
    "WAVEX": (),
    "RF64": (".rf64",),
    "W64": (".w64",),
    "FLAC": (".flac",),
    "OGG": (".ogg", ".oga", ".opus"),
    "MP3": (".mp3",),
    "AIFF": (".aif", ".aiff", ".aifc"),
    "AU": (".au", ".snd"),
    "CAF": (".caf",),
}
PICTURE_ENDINGS = frozenset(ending for some in PICTURE_FORMATS.values() for ending in some)
SOUND_ENDINGS = frozenset(ending for some in SOUND_FORMATS.values() for ending in some)
# What messages call them.
PICTURES = "JPEG, PNG, WebP, TIFF, BMP, GIF or PPM"
SOUNDS = "WAV, FLAC, Ogg, MP3, AIFF, AU or CAF"


def is_picture(path: Path) -> bool:
    """Whether the file's ending is that of a picture that is read."""
    return path.suffix.lower() in PICTURE_ENDINGS


def is_sound(path: Path) -> bool:
    """Whether the file's ending is that of a sound that is read."""
    return path.suffix.lower() in SOUND_ENDINGS


def is_video(head: bytes) -> bool:
    """Whether a file begins as a video that is played: MP4, MOV, AVI, Matroska, WebM, MPEG. FFmpeg
    knows many more, among them lists that name other files and addresses."""
    return (head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip")
            or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
            or head.startswith((b"\x1aE\xdf\xa3", b"\0\0\1\xba", b"\0\0\1\xb3"))
            or (head[:1] == b"G" and head[188:189] == b"G"))


def foreign_format(head: bytes) -> str | None:
    """What a file is that is not read, by its first bytes: those that people bring."""
    if head[4:8] == b"ftyp":
        return _FTYP.get(head[8:12].lower().strip(), "MPEG-4")
    return next((name for magic, name in _FOREIGN.items() if head.startswith(magic)), None)


_FTYP = {b"heic": "HEIC", b"heix": "HEIC", b"heif": "HEIC", b"mif1": "HEIC", b"msf1": "HEIC",
         b"avif": "AVIF", b"avis": "AVIF", b"m4a": "M4A", b"m4b": "M4A", b"qt": "QuickTime",
         b"3gp4": "3GP", b"3gp5": "3GP", b"3gp6": "3GP"}
_FOREIGN = {b"\x1aE\xdf\xa3": "WebM or Matroska", b"#!AMR": "AMR", b"0&\xb2u": "WMA",
            b"%!PS": "PostScript", b"\xc5\xd0\xd3\xc6": "PostScript", b"%PDF": "PDF",
            b"\x00\x00\x00\x0cjP  ": "JPEG 2000", b"\xffO\xffQ": "JPEG 2000",
            b"P1": "PPM in text", b"P2": "PPM in text", b"P3": "PPM in text",
            b"8BPS": "Photoshop", b"<svg": "SVG", b"\x00\x00\x01\x00": "an icon"}


_HEIC = "heif-convert photo.heic photo.jpg"
_RAW = "dcraw -c -w photo.cr2 | pnmtojpeg > photo.jpg"
_FILM = "ffmpeg -i film.mp4 -vf fps=1 face%03d.png"
_SOUND = "ffmpeg -i memo{} memo.wav"
_FILMS = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".3gp", ".3g2", ".avi", ".wmv", ".mpg", ".mpeg")
_SOUNDS = (".m4a", ".m4b", ".aac", ".amr", ".awb", ".wma", ".qta", *_FILMS)

_PICTURES = (dict.fromkeys((".heic", ".heif", ".heics", ".hif"), _HEIC)
             | dict.fromkeys((".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf", ".rw2"), _RAW)
             | dict.fromkeys(_FILMS, _FILM))
_TO = {"face": "JPEG", "voice": "WAV"}
_CONVERT = {"face": _PICTURES, "voice": {ending: _SOUND.format(ending) for ending in _SOUNDS}}


def how_to_convert(name: str, modality: str) -> str | None:
    """The command that converts a file of this name, as an example; None where nobody knows."""
    return _CONVERT[modality].get(PurePath(name).suffix.lower())


def conversion(name: str, modality: str) -> str:
    """The same for the end of a message; where nobody knows, what to convert it to."""
    example = how_to_convert(name, modality)
    return f"; convert it, as with '{example}'" if example else f"; convert it to {_TO[modality]}"


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
