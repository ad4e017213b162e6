"""Sound files whose headers do not tell their length, and those that nobody meant."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.errors import InputError
from edge_runtime.signals.sound_file import MAX_CHANNELS, SoundFile
from edge_runtime.signals.voice import MAX_SAMPLES, decode_clip

Array = npt.NDArray[Any]
RATE = 16_000
SIZE = 20_000
TONE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(SIZE) / RATE)).astype(np.float32)
CODECS = ["GSM610", "NMS_ADPCM_16", "G721_32", "IMA_ADPCM", "MS_ADPCM", "ULAW", "FLOAT"]


def written(form: str, codec: str | None = None, sound: Array = TONE, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format=form, subtype=codec)
    return file.getvalue()


def length(content: bytes) -> int:
    with SoundFile(io.BytesIO(content), "a clip") as clip:
        return sum(len(block) for block in clip.blocks())


def refusal(content: bytes) -> str:
    with pytest.raises(InputError) as caught:
        decode_clip(io.BytesIO(content), "a clip")
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix("a clip: ")


def patched(content: bytes, *changes: tuple[bytes, int, bytes]) -> bytes:
    """With other bytes so far behind a name that stands in the header."""
    new = bytearray(content)
    for name, offset, value in changes:
        at = content.index(name) + offset
        new[at:at + len(value)] = value
    return bytes(new)


WAV, NOTHING, ALL = written("WAV"), bytes(4), b"\xff" * 4
LENGTHS = {
    "WAV without": patched(WAV, (b"RIFF", 4, NOTHING), (b"data", 4, NOTHING)),
    "WAV endless": patched(WAV, (b"RIFF", 4, ALL), (b"data", 4, ALL)),
    "WAV signed": patched(WAV, (b"RIFF", 4, b"\xff\xff\xff\x7f"),
                          (b"data", 4, b"\xdb\xff\xff\x7f")),
    "WAV, RIFF alone": patched(WAV, (b"RIFF", 4, NOTHING)),
    "WAV, as it was when the recorder began": patched(WAV, (b"data", 4, struct.pack("<I", 4_000))),
    "WAVEX without": patched(written("WAVEX"), (b"data", 4, NOTHING)),
    "RF64 without": patched(written("RF64"), (b"ds64", 8, bytes(24))),
    "RF64 endless": patched(written("RF64"), (b"ds64", 8, b"\xff" * 24)),
    "W64 without": patched(written("W64"), (b"data", 16, bytes(8))),
    "W64 endless": patched(written("W64"), (b"data", 16, b"\xff" * 8)),
    "AIFF without": patched(written("AIFF"), (b"FORM", 4, NOTHING), (b"SSND", 4, NOTHING),
                            (b"COMM", 10, NOTHING)),
    "AIFF endless": patched(written("AIFF"), (b"FORM", 4, ALL), (b"SSND", 4, ALL)),
    "AU without": patched(written("AU"), (b".snd", 8, NOTHING)),
    "AU endless": patched(written("AU"), (b".snd", 8, ALL)),
    "CAF without": patched(written("CAF"), (b"data", 4, bytes(8))),
    "CAF endless": patched(written("CAF"), (b"data", 4, b"\xff" * 8)),
    "FLAC without": (lambda flac: flac[:21] + bytes([flac[21] & 0xF0]) + bytes(20) + flac[42:])(
        written("FLAC")),
}


@pytest.mark.parametrize("content", LENGTHS.values(), ids=LENGTHS)
def test_a_file_is_read_to_its_end_whatever_its_header_says(content: bytes) -> None:
    with SoundFile(io.BytesIO(content), "a clip") as clip:
        found = np.concatenate(list(clip.blocks()))[:, 0]
    assert abs(found.size - SIZE) <= 1
    np.testing.assert_allclose(found[:SIZE - 1], TONE[:SIZE - 1], atol=1e-4)


@pytest.mark.parametrize("form", ["WAV", "RF64", "W64", "AIFF", "AU", "CAF", "OGG", "MP3"])
@pytest.mark.parametrize("share", [0.4, 0.8])
def test_what_is_there_of_a_recording_that_was_cut_off(form: str, share: float) -> None:
    sound = 0.1 * np.random.default_rng(0).standard_normal(8 * RATE, np.float32)
    content = written(form, sound=sound)
    found = length(content[:int(share * len(content))])
    assert 0.7 * share < found / sound.size < share + 0.1


@pytest.mark.parametrize("codec", CODECS)
def test_wavs_that_cannot_be_sought_in(codec: str) -> None:
    assert SIZE <= length(written("WAV", codec)) < SIZE + 600


def test_chunks_behind_the_sound_are_none_of_it() -> None:
    assert length(WAV + b"LIST" + struct.pack("<I", 4_000) + bytes(4_000)) == SIZE
    assert length(written("AIFF") + b"NAME" + struct.pack(">I", 4) + b"tone") == SIZE


def mp3_frames(content: bytes) -> bytes:
    """Without the frame that counts the others."""
    assert b"Xing" in content[:60] or b"Info" in content[:60]
    return content[content.index(b"\xff\xf3", 4):]


@pytest.mark.parametrize("change", [
    lambda mp3: mp3,
    lambda mp3: mp3_frames(mp3),
    lambda mp3: patched(mp3, (b"Xing", 8, struct.pack(">I", 3))),
    lambda mp3: patched(mp3, (b"Xing", 8, struct.pack(">I", 1 << 20))),
    lambda mp3: patched(mp3, (b"Xing", 7, b"\x0e")),
    lambda mp3: b"ID3\4\0\0\0\0\x0f\x76" + bytes(2_038) + mp3,
    lambda mp3: b"ID3\4\0\0\x7f\x7f\x7f\x7f" + mp3,
    lambda mp3: (b"ID3\4\0\0\0\0\0\x0a" + bytes(10)) * 3 + mp3,
    lambda mp3: bytes(5_000) + mp3,
    lambda mp3: b"\xff\xfb\x90" * 50 + mp3_frames(mp3),
    lambda mp3: mp3 + b"TAG" + bytes(125),
    lambda mp3: mp3_frames(mp3) + b"TAG" + bytes(125),
], ids=["as it is", "no count", "small count", "large count", "no flag", "tag", "endless tag",
        "tags", "junk", "junk like frames", "tag behind", "no count, tag behind"])
def test_mp3s_are_read_to_their_end(change: Any) -> None:
    sound = np.concatenate([0.01 * TONE, TONE, np.zeros(SIZE, np.float32), TONE])
    content = change(written("MP3", sound=sound))
    assert abs(length(content) - sound.size) < 3_000


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 48_000, 32_000, 8_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_mp3s_of_every_rate_without_a_count(rate: int, channels: int) -> None:
    sound = np.stack([np.tile(TONE, 4)] * channels, axis=1)
    content = written("MP3", sound=sound, rate=rate)
    start = content.index(content[:2], 4)
    assert abs(length(content[start:]) - len(sound)) < 5_000


@pytest.mark.parametrize(("head", "found"), [
    (b"\0\0\0\x20ftypM4A \0\0\0\0", "M4A"), (b"\x1aE\xdf\xa3\x01\0\0\0", "WebM or Matroska"),
    (b"#!AMR\n", "AMR"), (b"\0\0\0\x18ftyp3gp4", "3GP"), (b"MATLAB 5.0 MAT-file", "none of these"),
    (b"Creative Voice File\x1a", "none of these"), (b"\x80\x80\x80\x80", "none of these")])
def test_formats_that_nobody_meant_are_not_tried(head: bytes, found: str) -> None:
    assert refusal(head + bytes(2_000)) == (
        f"expected a sound file (WAV, FLAC, Ogg, MP3, AIFF, AU or CAF), found {found}; convert it "
        "to WAV")


@pytest.mark.parametrize(("rate", "channels"), [
    (655_350, 1), (192_001, 1), (3_999, 1), (1, 1), (16_000, MAX_CHANNELS + 1), (16_000, 1024)])
def test_rates_and_channels_beyond_what_is_meant(rate: int, channels: int) -> None:
    header = struct.pack("<HHIIHH", 1, channels, rate, rate * channels, channels, 8)
    content = (b"RIFF" + ALL + b"WAVEfmt " + struct.pack("<I", 16) + header + b"data" + ALL
               + bytes(9_000))
    assert refusal(content) == (f"expected at most 32 channels of 4000 to 192000 Hz, found "
                                f"{channels} of {rate} Hz; convert it to 16000 Hz, mono")


def test_samples_of_all_channels_count(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_SAMPLES >= 8 * 48_000 * 600
    monkeypatch.setattr("edge_runtime.signals.voice.MAX_SAMPLES", 4 * RATE)
    four = np.stack([TONE] * 4, axis=1)
    assert refusal(written("WAV", sound=four)) == (
        "the clip lasts over 1 s, at most as much is read of 4 channels of 16000 Hz; cut out the "
        "speech first")
    assert decode_clip(io.BytesIO(written("WAV", sound=four[:RATE])), "a clip").size == RATE
    assert decode_clip(io.BytesIO(written("WAV", sound=four)), "a clip", 0.5).size == RATE // 2


@given(st.sampled_from(["WAV", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3"]),
       st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)), max_size=8),
       st.integers(0, 4_000))
def test_damaged_heads_end_in_sound_or_in_one_line(
    form: str, changes: list[tuple[int, int]], cut: int
) -> None:
    content = bytearray(DAMAGED[form])
    for at, value in changes:
        content[at % len(content)] = value
    try:
        found = decode_clip(io.BytesIO(bytes(content[:len(content) - cut])), "a clip")
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(found).all() and found.size <= 600 * RATE


DAMAGED = {form: written(form, sound=TONE[:4_000])
           for form in ("WAV", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3")}
