"""A sound file as blocks, read forward to its real end.

libsndfile believes the length that a header gives, which recorders leave at 0 or at the largest
number there is when they are cut off or write into a pipe. It is therefore given a head that says
"to the end of the file", and never asked to seek, which it cannot in some compressed WAVs either.
It is only given files that begin as one of the formats that are meant.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from edge_runtime.errors import InputError
from edge_runtime.signals.picture_format import SOUNDS, conversion, foreign_format

RATES = (4_000, 192_000)  # Hz
MAX_CHANNELS = 32
_BLOCK = 1 << 13  # samples of each channel that are read at once
_MAX_HEAD = 1 << 20  # bytes before the sound that are looked through

_UNKNOWN = 0xFFFFFFFF
_W64 = bytes.fromhex("726966662e91cf11a5d628db04c10000")


class SoundFile:
    """An open file of `name`, to be read once. Raises InputError where it is no sound, or has
    other rates or more channels than are meant.

    rate: in Hz.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        import soundfile  # here, since a machine that trains on packed data lacks it

        class Forward(soundfile.SoundFile):  # type: ignore[misc,unused-ignore]
            def seekable(self) -> bool:
                """Never: sought in, a file is read only as far as its header says."""
                return False

        self._name, self._error = name, soundfile.LibsndfileError
        try:
            self._file: Any = Forward(_with_honest_head(file, name))
        except self._error as error:
            raise InputError(f"{name}: expected a sound file ({SOUNDS}), found none that "
                             f"libsndfile reads ({error.error_string.strip()})"
                             f"{conversion(name, 'voice')}") from None
        self.rate, self.channels = int(self._file.samplerate), int(self._file.channels)
        if not RATES[0] <= self.rate <= RATES[1] or self.channels > MAX_CHANNELS:
            self._file.close()
            raise InputError(f"{name}: expected at most {MAX_CHANNELS} channels of {RATES[0]} to "
                             f"{RATES[1]} Hz, found {self.channels} of {self.rate} Hz; convert it "
                             "to 16000 Hz, mono")

    def blocks(self, samples: int | None = None) -> Iterator[npt.NDArray[np.float32]]:
        """float32 [samples, channels] each, of `samples` where given, to the file's end.

        InputError where it is damaged; formats that cannot tell (all but FLAC) just end.
        """
        wanted = samples or _BLOCK
        seconds = 0.0
        while True:
            try:
                block = self._file.read(wanted, dtype="float32", always_2d=True)
            except self._error as error:
                reason = error.error_string.strip().removeprefix("Error : ")
                raise InputError(f"{self._name}: the clip is damaged or cut off after {seconds:.1f}"
                                 f" s ({reason}); record it again") from None
            if len(block) == 0:
                return
            seconds += len(block) / self.rate
            yield block

    def __enter__(self) -> SoundFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._file.close()


class _Spliced:
    """A file whose first bytes are others: `head`, then `file` from `skipped` on."""

    def __init__(self, file: BinaryIO, head: bytes, skipped: int, size: int) -> None:
        self._file, self._head, self._skipped = file, head, skipped
        self._size = len(head) + size - skipped
        self._at = 0

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def read(self, count: int) -> bytes:
        content = self._head[self._at:self._at + count]
        if len(content) < count:
            self._file.seek(self._at + len(content) - len(self._head) + self._skipped)
            content += self._file.read(count - len(content))
        self._at += len(content)
        return content


def _with_honest_head(file: BinaryIO, name: str) -> _Spliced:
    """The file without tags in front, its lengths those that it has."""
    size = file.seek(0, os.SEEK_END)
    start = _after_tags(file, size)
    head = _read(file, start, _MAX_HEAD)
    kind = head[:4]
    if kind in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        return _Spliced(file, _wav(head, size - start), start + len(head), size)
    if kind == b"caff":
        return _Spliced(file, _caf(head, size - start), start + len(head), size)
    if kind in (b".snd", b"dns."):
        return _Spliced(file, head[:8] + b"\xff" * 4 + head[12:], start + len(head), size)
    if kind in (b"fLaC", b"OggS") or head.startswith(_W64) or (
            kind == b"FORM" and head[8:12] in (b"AIFF", b"AIFC")):
        return _Spliced(file, b"", start, size)
    if (frame := _mp3_frame(head)) is not None:
        return _Spliced(file, *_endless_mp3(head, start, frame), size)
    found = foreign_format(head)
    raise InputError(f"{name}: expected a sound file ({SOUNDS}), found {found or 'none of these'}"
                     f"{conversion(name, 'voice')}")


def _read(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)


def _after_tags(file: BinaryIO, size: int) -> int:
    """Where the sound begins: behind ID3 tags, of which there may be several."""
    at = 0
    while (tag := _read(file, at, 10))[:3] == b"ID3" and len(tag) == 10:
        length = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(reversed(tag[6:])))
        if at + 10 + length >= size:
            return at + 10  # a length that is none: look for the sound right behind
        at += 10 + length
    return at


def _wav(head: bytes, size: int) -> bytes:
    """RIFF: chunks of a name and a length; the sound is in `data`, whose length may be none."""
    order = ">" if head[:4] == b"RIFX" else "<"
    at = 12
    while at + 8 <= len(head):
        name, length = struct.unpack_from(f"{order}4sI", head, at)
        if name == b"data":
            break
        at += 8 + length + length % 2
    else:
        return head
    left = size - at - 8
    if head[:4] == b"RF64":
        return _rf64(head, size, left)
    if length < left - 1 and not _is_chunk(head, at + 8 + length + length % 2, size, order):
        length = _UNKNOWN
    return head[:at + 4] + struct.pack(f"{order}I", length) + head[at + 8:]


def _is_chunk(head: bytes, at: int, size: int, order: str) -> bool:
    """Whether another chunk stands there; behind what was looked through, the header's word counts
    unless it says 0."""
    if at + 8 > len(head):
        return True
    name, length = struct.unpack_from(f"{order}4sI", head, at)
    return bool(name.isascii() and name.decode("ascii").isprintable() and at + 8 + length <= size)


def _rf64(head: bytes, size: int, left: int) -> bytes:
    """EBU 3306: the lengths stand in a chunk `ds64` in front of all."""
    if head[12:16] != b"ds64" or 0 < struct.unpack_from("<Q", head, 28)[0] <= left:
        return head
    return head[:20] + struct.pack("<QQQ", size - 8, left, 0) + head[44:]


def _caf(head: bytes, size: int) -> bytes:
    """Apple's CAF: chunks of a name and a length of 64 bits, -1 for the rest of the file."""
    at = 8
    while at + 12 <= len(head):
        name, length = struct.unpack_from(">4sq", head, at)
        left = size - at - 12
        if name == b"data":
            right = length if 0 < length <= left else left
            return head[:at + 4] + struct.pack(">q", right) + head[at + 12:]
        if length < 0:
            break
        at += 12 + length
    return head


# ISO 11172-3 and 13818-3, layer III: kbit/s of version 1 and of 2, Hz of version 1.
_KBITS = ((0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
          (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160))
_MP3_HZ = (44_100, 48_000, 32_000)
_ENDLESS = 1 << 24  # frames, five days


def _mp3_length(head: bytes, at: int) -> int:
    """Of the frame that begins there; 0 where none does."""
    if at + 4 > len(head) or head[at] != 0xFF or head[at + 1] & 0xE6 != 0xE2:
        return 0
    version, kbits, hertz = head[at + 1] >> 3 & 3, head[at + 2] >> 4, head[at + 2] >> 2 & 3
    if version == 1 or kbits in (0, 15) or hertz == 3:
        return 0
    first = version == 3
    rate = _MP3_HZ[hertz] >> (0 if first else 1 if version == 2 else 2)
    return ((144 if first else 72) * 1000 * _KBITS[not first][kbits] // rate
            + (head[at + 2] >> 1 & 1))


def _mp3_frame(head: bytes) -> int | None:
    """Where the first frame begins that two like it follow, or the file's end; behind junk at most
    64 KiB long."""
    at = -1
    while 0 <= (at := head.find(b"\xff", at + 1)) < 1 << 16:
        following = at
        for _ in range(3):
            length = _mp3_length(head, following)
            if not length or (head[following + 1] ^ head[at + 1]) & 0xFE or (
                    head[following + 2] ^ head[at + 2]) & 0x0C:
                break
            following += length
            if following >= len(head):
                return at
        else:
            return at
    return None


def _endless_mp3(head: bytes, start: int, frame: int) -> tuple[bytes, int]:
    """A head that says that the file is endless, and how much of the file it stands for.

    Without a count of frames (Xing, Info), readers guess by the first frame's rate.
    """
    length = _mp3_length(head, frame)
    first, mono = head[frame + 1] >> 3 & 3 == 3, head[frame + 3] >> 6 == 3
    place = 4 + ((17 if mono else 32) if first else (9 if mono else 17))
    tag = head[frame + place:frame + place + 8]
    if tag[:4] in (b"Xing", b"Info"):
        own = bytearray(head[frame:frame + length])
        if tag[7] & 1:
            own[place + 8:place + 12] = struct.pack(">I", _ENDLESS)
        else:
            own[place:place + 12] = b"Xing" + struct.pack(">II", 1, _ENDLESS)
        return bytes(own), start + frame + length
    silence = bytearray(_largest_frame(head[frame:frame + 4]))
    silence[place:place + 12] = b"Xing" + struct.pack(">II", 1, _ENDLESS)
    return bytes(silence), start + frame


def _largest_frame(header: bytes) -> bytes:
    """An empty frame of the same kind, long enough for a count, without a checksum."""
    header = bytes((header[0], header[1] | 1, header[2] & 0x0D | 0xE0, header[3]))
    return header + bytes(_mp3_length(header, 0) - 4)
