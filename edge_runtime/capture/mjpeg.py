"""A stream of JPEG pictures, one after the other, cut into pictures (ITU-T T.81, annex B)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from edge_runtime.picture_file import JPEG_MARKER

MAX_BYTES = 16_000_000  # of one picture; more is no picture, and is thrown away

_START = b"\xff\xd8"


def split_jpegs(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Whole pictures from `chunks` of any size; what is no picture between them is left out."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while True:
            start = buffer.find(_START)
            if start < 0:
                del buffer[:-1]  # the last byte may be the first of a start
                break
            del buffer[:start]
            try:
                end = _end_of_picture(buffer)
            except ValueError:
                del buffer[:len(_START)]  # go on with the next start
                continue
            if end is None:
                if len(buffer) > MAX_BYTES:
                    buffer.clear()
                break
            yield bytes(buffer[:end])
            del buffer[:end]


def _end_of_picture(data: bytearray) -> int | None:
    """Where the picture that `data` begins with ends; None where that is still to come.

    Segments are skipped by their length, since they may hold a whole preview picture. Raises
    ValueError where there is no marker in its place.
    """
    at = len(_START)
    while at + 4 <= len(data) or data[at:at + 2] == b"\xff\xd9":
        if data[at] != 0xFF or data[at + 1] in (0x00, 0xD8):
            raise ValueError("no marker")
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker == 0xFF:  # padding
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:  # markers without contents
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2:at + 4], "big")
            if marker == 0xDA:  # a scan: compressed data follow
                found = JPEG_MARKER.search(data, at)
                if found is None:
                    return None
                at = found.start()
    return None
