"""Small files that would take much memory: what reading them takes, in a process of its own."""

from __future__ import annotations

import io
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

Run = Callable[..., subprocess.CompletedProcess[str]]

PROGRAM = """
import sys
from pathlib import Path
import soundfile, soxr
from PIL import Image
from edge_runtime.errors import InputError
from edge_runtime.signals.face import read_picture
from edge_runtime.signals.picture_format import is_sound
from edge_runtime.signals.voice import read_clip

def peak_mib():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024

Image.init()
for name in sys.argv[1:]:
    before = peak_mib()
    try:
        found = (read_clip if is_sound(Path(name)) else read_picture)(Path(name)).size > 0
    except InputError as error:
        found = str(error)
    print(f"{Path(name).name}: {peak_mib() - before:.0f} MiB, {found}")
"""


def chunk(kind: bytes, content: bytes) -> bytes:
    return (struct.pack(">I", len(content)) + kind + content
            + struct.pack(">I", zlib.crc32(kind + content)))


def png(width: int, height: int, more: bytes = b"") -> bytes:
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(width + 1)) for _ in range(height)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return (b"\x89PNG\r\n\x1a\n" + header + more + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def wav(rate: int, channels: int, seconds: int) -> bytes:
    """A header alone, of 8 bits."""
    size = rate * channels * seconds
    return (b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + struct.pack(
        "<IHHIIHH", 16, 1, channels, rate, rate * channels, channels, 8)
            + b"data" + struct.pack("<I", size))


def tiff(entries: dict[int, tuple[int, int, int]], size: int) -> bytes:
    """entries: of type, count and value, by their tags."""
    directory = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in entries.items())
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    return (head + directory + bytes(4)).ljust(size, b"\0")


def plain_tiff(side: int, tile: int) -> dict[int, tuple[int, int, int]]:
    return {256: (4, 1, side), 257: (4, 1, side), 258: (3, 1, 8), 259: (3, 1, 8), 262: (3, 1, 1),
            277: (3, 1, 1), 322: (4, 1, tile), 323: (4, 1, tile), 324: (4, 1, 400),
            325: (4, 1, 90_000)}


def exif_of(count: int, size: int) -> bytes:
    """Tags that each hold all of the rest."""
    entries = {0x9000 + i: (7, size - 200 - 12 * count, 100) for i in range(count)}
    return tiff({0x0112: (3, 1, 1), **entries}, size)


def jpeg(side: int, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("L", (side, side)).save(file, "jpeg", **options)
    return file.getvalue()


def segment(content: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content


def with_exif(picture: bytes, exif: bytes) -> bytes:
    parts = [exif[at:at + 65_000] for at in range(0, len(exif), 65_000)]
    return picture[:2] + b"".join(segment(b"Exif\0\0" + part) for part in parts) + picture[2:]


def many_scans() -> bytes:
    picture = jpeg(500, progressive=True)
    scan = picture[picture.rindex(b"\xff\xda"):-2]
    return picture[:-2] + 300 * scan + picture[-2:]


def flat(form: str, side: int, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("L", (side, side)).convert("RGB").save(file, form, **options)
    return file.getvalue()


BOMBS: dict[str, Callable[[], bytes]] = {
    "tall.png": lambda: png(1, 100_000),
    "texts.png": lambda: png(8, 8, 60 * chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000)))),
    "profile.png": lambda: png(8, 8, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(10**8)))),
    "exif.png": lambda: png(8, 8, chunk(b"eXIf", exif_of(2_000, 300_000))),
    "flat.webp": lambda: flat("webp", 6_000, lossless=True, quality=0, method=0),
    "exif.jpg": lambda: with_exif(jpeg(8), exif_of(1_000, 600_000)),
    "scans.jpg": many_scans,
    "held-twice.jpg": lambda: jpeg(5_100, progressive=True),
    "tile.tif": lambda: tiff(plain_tiff(16, 30_000), 400) + zlib.compress(bytes(90_000_000)),
    "tags.tif": lambda: exif_of(2_000, 300_000),
    "postscript.jpg": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n{} loop\n",
    "j.jpg": lambda: b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(90),
    "rate.wav": lambda: wav(655_350, 8, 100),
    "channels.wav": lambda: wav(16_000, 1_000, 100),
    "slow.wav": lambda: wav(1, 1, 599) + bytes(599),
    "claims.wav": lambda: wav(48_000, 8, 599) + bytes(range(256)) * 3_000,
}


def test_what_bombs_take(tmp_path: Path, run_python: Run) -> None:
    for name, make in BOMBS.items():
        (tmp_path / name).write_bytes(make())
    done = run_python("-c", PROGRAM, *(tmp_path / name for name in BOMBS))
    assert done.returncode == 0, done.stderr
    lines = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert set(lines) == set(BOMBS)
    for name, line in lines.items():
        assert int(line.split()[0]) <= 24, (name, line)
    assert "True" in lines["texts.png"] and "True" in lines["exif.jpg"]
    assert "True" in lines["profile.png"] and "True" in lines["exif.png"]


def test_what_the_largest_pictures_take(tmp_path: Path, run_python: Run) -> None:
    """Twice 25 megapixels and the rest: 7 bytes for a pixel of the one, 13 of the other."""
    (tmp_path / "plain.jpg").write_bytes(flat("jpeg", 4_900, subsampling=0))
    (tmp_path / "progressive.jpg").write_bytes(
        flat("jpeg", 4_900, subsampling=0, progressive=True))
    for name, most_mib in (("plain.jpg", 190), ("progressive.jpg", 340)):
        done = run_python("-c", PROGRAM, tmp_path / name)
        assert "True" in done.stdout and int(done.stdout.split()[1]) <= most_mib, done.stdout


def test_ten_minutes_of_many_channels(tmp_path: Path, run_python: Run) -> None:
    """What stays is the mono sound at 16 kHz, 37 MiB, and what it is made of."""
    rng = np.random.default_rng(0)
    second = rng.integers(-9_000, 9_000, (8_000, 8), np.int16)
    with soundfile.SoundFile(tmp_path / "array.wav", "w", 8_000, 8, "PCM_16") as file:
        for _ in range(599):
            file.write(second)
    done = run_python("-c", PROGRAM, tmp_path / "array.wav")
    assert "True" in done.stdout and int(done.stdout.split()[1]) <= 160, done.stdout
