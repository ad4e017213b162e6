"""What Pillow is given of a picture file: the picture alone, in one of the formats that are meant.

What stands beside the picture (EXIF, ICC, XMP, texts, thumbnails, further frames and directories)
is left out before Pillow sees it: it decides nothing here, is often broken, and can make a reader
allocate thousands of times its own size. Only the orientation is taken from it, as far as it is
readable. Orders of bytes: JPEG ITU-T T.81, PNG ISO 15948, WebP RFC 9649, TIFF 6.0 and BigTIFF.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# In compressed JPEG data, FF is followed by 00 (a plain FF), a restart mark, or a real marker.
JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
MAX_SCANS = 32  # of a progressive JPEG, each a pass over all pixels; encoders make about ten
_MAX_DIRECTORY = 1 << 20  # bytes of a TIFF directory's values: Pillow makes 30 of one
_MAX_TILE = 1 << 22  # pixels of a TIFF's tile, which may be larger than its picture
ORIENTATION = 0x0112  # in EXIF, as in TIFF
# Size, bits, compression, colours, places of strips and tiles, and what decoders of them need.
_TIFF_NEEDED = frozenset((256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320,
                          322, 323, 324, 325, 338, 339, 347, 529, 530, 531, 532))
# None, CCITT, LZW, JPEG, deflate, PackBits. Not WebP, LERC and others, of which nobody knows sizes.
_TIFF_COMPRESSIONS = frozenset((1, 2, 3, 4, 5, 7, 8, 32773, 32946))
_TIFF_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
               16: 8, 17: 8, 18: 8}


@dataclass(frozen=True)
class PictureSource:
    """content: for Pillow, in `format` (its name). orientation: as in EXIF, 1 to 8. progressive:
    all of it is held in memory twice. deep: colours of 16 bits, of which Pillow keeps the upper 8.
    unsigned: whole numbers of 32 bits, which Pillow takes for signed ones. size: width and height
    where Pillow would allocate before it tells them.
    """

    format: str
    content: bytes
    orientation: int = 1
    progressive: bool = False
    deep: bool = False
    unsigned: bool = False
    size: tuple[int, int] | None = None


def picture_source(content: bytes) -> PictureSource | None:
    """None for what is none of the formats. ValueError, IndexError or struct.error where it is
    damaged, or not what any camera or program writes."""
    for magic, read in _READERS.items():
        if content.startswith(magic):
            return read(content)
    # Those in text, P1 to P3, are read a number at a time: seconds for one picture.
    if content[:1] == b"P" and content[1:2] in b"456fF" and content[2:3].isspace():
        return PictureSource("PPM", content)
    return None


def _jpeg(content: bytes) -> PictureSource:
    kept, exif, frames, scans = [content[:2]], b"", list[bytes](), 0
    for marker, segment in _jpeg_segments(content):
        if marker == 0xE1 and segment[4:8] == b"Exif" and not exif:
            exif = segment[10:]
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            frames.append(segment)
        scans += marker == 0xDA
        # JFIF and Adobe say how colours are meant.
        if marker < 0xE0 or (marker in (0xE0, 0xEE) and segment[4:9] in (b"JFIF\0", b"Adobe")):
            kept.append(segment)
    if len(frames) > 1:
        raise ValueError("more than one frame")
    if scans > MAX_SCANS:
        raise ValueError(f"{scans} scans, at most {MAX_SCANS} are read")
    progressive = bool(frames) and frames[0][1] not in (0xC0, 0xC1)
    return PictureSource("JPEG", b"".join(kept), _exif_orientation(exif), progressive)


def _jpeg_segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Markers with their segments, a scan with its data, up to the picture's end."""
    at = 2
    while (at := content.find(b"\xff", at)) >= 0 and at + 1 < len(content):
        marker = content[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:
            at += 2
        elif marker == 0xD9:
            yield marker, content[at:at + 2]
            return
        else:
            end = at + 2 + int.from_bytes(content[at + 2:at + 4], "big")
            if marker == 0xDA:
                following = JPEG_MARKER.search(content, end)
                end = following.start() if following else len(content)
            yield marker, content[at:end]
            at = end


def _png(content: bytes) -> PictureSource:
    kept, exif, at = [content[:8]], b"", 8
    while at < len(content):
        end = at + 12 + int.from_bytes(content[at:at + 4], "big")
        kind = content[at + 4:at + 8]
        if kind == b"eXIf":
            exif = content[at + 8:end - 4]
        elif kind == b"tRNS" or not kind[:1].islower():
            kept.append(content[at:end])
        at = end
    bits, colours = content[24], content[25]
    return PictureSource("PNG", b"".join(kept), _exif_orientation(exif),
                         deep=bits == 16 and colours != 0)


def _webp(content: bytes) -> PictureSource | None:
    if content[8:12] != b"WEBP":
        return None
    exif, size, at = b"", None, 12
    while at + 8 <= len(content):
        kind, length = struct.unpack_from("<4sI", content, at)
        start = at + 8
        if kind == b"EXIF":
            exif = content[start:start + length]
        elif size is None:
            size = _webp_size(kind, content[start:start + 10])
        at = start + length + length % 2
    return PictureSource("WEBP", content, _exif_orientation(exif), size=size)


def _webp_size(kind: bytes, head: bytes) -> tuple[int, int] | None:
    if kind == b"VP8X":
        return (int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1)
    if kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 6)
        return width & 0x3FFF, height & 0x3FFF
    return None


@dataclass(frozen=True)
class _Entry:
    """Of a TIFF directory. raw: as it stands; value: its first whole number."""

    raw: bytes
    bytes: int
    value: int


def _tiff(content: bytes) -> PictureSource:
    order, big, entries = _directory(content)
    needed = {tag: entry for tag, entry in entries.items() if tag in _TIFF_NEEDED}
    if sum(entry.bytes for entry in needed.values()) > _MAX_DIRECTORY:
        raise ValueError("a directory of over 1 MiB")
    number = {tag: entry.value for tag, entry in needed.items()}
    compression = number.get(259, 1)
    if compression not in _TIFF_COMPRESSIONS:
        raise ValueError(f"compression {compression}, which is not read")
    pixels = number.get(256, 0) * number.get(257, 0)
    if number.get(322, 0) * number.get(323, 0) > max(_MAX_TILE, 2 * pixels):
        raise ValueError("tiles far larger than the picture")
    # One directory in the place of all, behind the rest: only places from the file's start remain.
    start = len(content) + len(content) % 2
    head = content[:8] + struct.pack(f"{order}Q", start) if big else (
        content[:4] + struct.pack(f"{order}I", start))
    directory = struct.pack(order + "HQ"[big], len(needed)) + b"".join(
        entry.raw for _, entry in sorted(needed.items())) + bytes(8 if big else 4)
    orientation = entries[ORIENTATION].value if ORIENTATION in entries else 1
    bits, samples = number.get(258, 1), number.get(277, 1)
    return PictureSource(
        "TIFF", head + content[len(head):] + bytes(len(content) % 2) + directory,
        orientation if 1 <= orientation <= 8 else 1, deep=bits == 16 and samples > 1,
        unsigned=bits == 32 and number.get(339, 1) == 1)


def _directory(content: bytes) -> tuple[str, bool, dict[int, _Entry]]:
    """The order of bytes, whether it is a BigTIFF, and the first directory by its tags."""
    order = "<" if content[:2] == b"II" else ">"
    big = struct.unpack_from(f"{order}H", content, 2)[0] == 43
    (at,) = struct.unpack_from(order + "IQ"[big], content, 8 if big else 4)
    (count,) = struct.unpack_from(order + "HQ"[big], content, at)
    at += 8 if big else 2
    size, entries = 20 if big else 12, {}
    for place in range(at, min(at + count * size, len(content) - size + 1), size):
        tag, kind, number = struct.unpack_from(order + ("HHQ" if big else "HHI"), content, place)
        inline = place + (12 if big else 8)
        width = _TIFF_BYTES.get(kind, 1)
        far = number * width > (8 if big else 4)
        where = struct.unpack_from(order + "IQ"[big], content, inline)[0] if far else inline
        value = content[where:where + min(width, 8)]
        entries[tag] = _Entry(content[place:place + size], number * width,
                              int.from_bytes(value, "little" if order == "<" else "big"))
    return order, big, entries


def _exif_orientation(exif: bytes) -> int:
    """1 to 8; 1 (as it is) where nothing that can be read says otherwise."""
    while exif.startswith(b"Exif\0\0"):
        exif = exif[6:]
    try:
        found = _directory(exif)[2][ORIENTATION].value
    except (struct.error, KeyError):
        return 1
    return found if 1 <= found <= 8 else 1


_READERS: dict[bytes, Callable[[bytes], PictureSource | None]] = {
    b"\xff\xd8\xff": _jpeg,
    b"\x89PNG\r\n\x1a\n": _png,
    b"RIFF": _webp,
    b"II*\0": _tiff, b"MM\0*": _tiff, b"II+\0": _tiff, b"MM\0+": _tiff,
    b"BM": lambda content: PictureSource("BMP", content),
    b"GIF8": lambda content: PictureSource("GIF", content),
}
