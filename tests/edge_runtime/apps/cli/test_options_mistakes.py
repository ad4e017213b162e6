"""Mistakes with `visavox identify` and `inspect`: one line each, and exit code 2."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.edge_runtime.command_line import mistake, visavox

Change = Callable[[dict[str, Any]], Path]


def test_neither_face_nor_voice(bundle: Path) -> None:
    assert mistake("identify", "--bundle", bundle) == (
        "expected --face FILE or --picture FILE, --voice FILE, or both, found none")


def test_a_face_and_a_picture(bundle: Path, pair: tuple[Path, Path]) -> None:
    assert "found both" in mistake("identify", "--bundle", bundle, "--face", pair[0],
                                   "--picture", pair[0])


def test_bad_pictures(bundle: Path, pair: tuple[Path, Path], tmp_path: Path) -> None:
    assert "no such picture file" in mistake("identify", "--bundle", bundle,
                                             "--picture", tmp_path / "nowhere")
    assert "expected a picture" in mistake("identify", "--bundle", bundle, "--picture", pair[1])
    assert "go together" in mistake("identify", "--bundle", bundle, "--picture", pair[0],
                                    "--detector", "yunet")


@pytest.mark.parametrize("option", ["--top", "--threads"])
def test_a_number_below_one(bundle: Path, pair: tuple[Path, Path], option: str) -> None:
    assert "at least 1" in mistake("identify", "--bundle", bundle, "--face", pair[0], option, 0)


def test_a_missing_bundle(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    message = mistake("identify", "--bundle", tmp_path / "nowhere", "--face", pair[0])
    assert "expected a bundle" in message and "python -m convert bundle" in message
    assert "expected a bundle" in mistake("inspect", "--bundle", pair[0])


def test_missing_files(bundle: Path, tmp_path: Path) -> None:
    for option, kind in (("--face", "picture"), ("--voice", "sound")):
        file = tmp_path / "nowhere"
        assert mistake("identify", "--bundle", bundle, option, file) == (
            f"{file}: no such {kind} file")


def test_a_folder_for_a_file(bundle: Path, tmp_path: Path) -> None:
    for option in ("--face", "--voice"):
        assert "no such" in mistake("identify", "--bundle", bundle, option, tmp_path)


def test_empty_files(bundle: Path, tmp_path: Path) -> None:
    for option, name in (("--face", "face.png"), ("--voice", "clip.wav")):
        (tmp_path / name).touch()
        assert "the file is empty (0 bytes)" in mistake("identify", "--bundle", bundle, option,
                                                        tmp_path / name)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_a_corrupt_picture(
    bundle: Path, pair: tuple[Path, Path], tmp_path: Path, share: float
) -> None:
    content = pair[0].read_bytes()
    file = tmp_path / "face.png"
    file.write_bytes(content[: int(share * len(content))])
    assert str(file) in mistake("identify", "--bundle", bundle, "--face", file)


def test_text_for_sound_and_for_a_picture(bundle: Path, tmp_path: Path) -> None:
    for option, name, expected in (("--voice", "clip.wav", "expected a sound file"),
                                   ("--face", "face.jpg", "expected a picture")):
        (tmp_path / name).write_text("This is a letter.\n" * 100)
        assert expected in mistake("identify", "--bundle", bundle, option, tmp_path / name)


def test_sound_for_a_picture(bundle: Path, pair: tuple[Path, Path]) -> None:
    face, clip = pair
    assert "expected a picture" in mistake("identify", "--bundle", bundle, "--face", clip)
    assert "expected a sound file" in mistake("identify", "--bundle", bundle, "--voice", face)


def test_a_clip_of_ten_hours(bundle: Path, tmp_path: Path) -> None:
    rate, seconds = 16_000, 36_000
    size = 2 * rate * seconds
    file = tmp_path / "long.wav"
    with file.open("wb") as wav:
        wav.write(b"RIFF" + struct.pack("<I", 36 + size) + b"WAVE"
                  b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
                  + b"data" + struct.pack("<I", size))
        wav.truncate(44 + size)  # a hole, which takes no room
    message = mistake("identify", "--bundle", bundle, "--voice", file)
    assert "the clip lasts over 600 s, at most as much is read" in message


def test_a_picture_of_400_megapixels(bundle: Path, tmp_path: Path) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (struct.pack(">I", len(content)) + kind + content
                + struct.pack(">I", zlib.crc32(kind + content)))

    side = 20_000
    rows = zlib.compressobj()
    pixels = b"".join(rows.compress(bytes(1 + 3 * side)) for _ in range(side)) + rows.flush()
    file = tmp_path / "huge.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n"
                     + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
                     + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))
    message = mistake("identify", "--bundle", bundle, "--face", file)
    assert "megapixels" in message and "make it smaller first" in message


def test_a_bundle_with_one_flipped_byte(bundle: Path, pair: tuple[Path, Path]) -> None:
    file = bundle / "voice.tflite"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)
    assert f"{file}: the SHA-256 differs" in mistake("identify", "--bundle", bundle, "--face",
                                                     pair[0])


def test_a_manifest_with_an_unknown_key(changed_bundle: Change, pair: tuple[Path, Path]) -> None:
    bundle = changed_bundle({"colour": "blue"})
    message = mistake("identify", "--bundle", bundle, "--face", pair[0])
    assert "unknown field `colour`" in message and "rebuild the bundle" in message


def test_a_manifest_without_a_key(bundle: Path, pair: tuple[Path, Path]) -> None:
    file = bundle / "manifest.json"
    content = json.loads(file.read_text())
    del content["thresholds"]
    file.write_text(json.dumps(content))
    assert "`thresholds`" in mistake("identify", "--bundle", bundle, "--face", pair[0])


def test_words_that_are_no_command() -> None:
    for arguments in ((), ("identify",), ("guess",), ("identify", "--bundle", "b", "--top", "x")):
        done = visavox(*arguments)
        assert done.returncode == 2 and done.stdout == ""
        assert done.stderr.count("\n") == 1 and "--help' says more" in done.stderr
