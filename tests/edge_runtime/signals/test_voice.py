"""Clips: every kind that is read or refused, the window with the most speech, noise at a ratio."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_runtime.errors import InputError
from edge_runtime.signals.voice import (
    CLIP_SAMPLES,
    HOP,
    SAMPLE_RATE,
    mix_noise,
    read_clip,
    read_noises,
    resample,
    speech_window,
    voice_input,
)

Sound = npt.NDArray[Any]


def tone(seconds: float, rate: int, hz: float = 440.0) -> Sound:
    return 0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def refusal(path: Path) -> str:
    """The one line with which a clip is refused; it begins with the file."""
    with pytest.raises(InputError) as caught:
        read_clip(path)
    message = str(caught.value)
    assert "\n" not in message and message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("form", ["wav", "flac", "ogg"])
def test_every_format_and_rate_becomes_mono_at_16_khz(
    tmp_path: Path, form: str, rate: int
) -> None:
    soundfile.write(tmp_path / f"clip.{form}", tone(1, rate), rate)
    found = read_clip(tmp_path / f"clip.{form}")
    assert found.dtype == np.float32 and found.ndim == 1
    assert abs(found.size - SAMPLE_RATE) <= 1
    middle = slice(2_000, 14_000)
    error = found[middle] - tone(1.1, SAMPLE_RATE)[: found.size][middle]
    assert np.sqrt(np.mean(error**2)) < (0.02 if form == "ogg" else 0.001)


def test_channels_are_averaged(tmp_path: Path) -> None:
    left, right = tone(0.5, 16_000), tone(0.5, 16_000, hz=1_000)
    soundfile.write(tmp_path / "a.wav", np.column_stack([left, right]), 16_000, subtype="FLOAT")
    np.testing.assert_allclose(read_clip(tmp_path / "a.wav"), (left + right) / 2, atol=1e-6)


def test_only_the_first_seconds_where_told(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(3, 8_000), 8_000)
    assert read_clip(tmp_path / "a.wav", seconds=0.5).size == 8_000
    assert read_clip(tmp_path / "a.wav", seconds=9).size == 48_000


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "a.wav"
    text.write_text("I am no sound, whatever my name says.\n" * 20)
    assert refusal(text) == ("expected a sound file (WAV, FLAC, Ogg, MP3, AIFF, AU or CAF), found "
                             "none of these; convert it to WAV")
    raw = tmp_path / "a.raw"
    raw.write_bytes(bytes(1000))
    assert refusal(raw) == ("expected a sound file that names its rate (WAV, FLAC, Ogg, ...), "
                            "found raw samples; convert it first")
    empty = tmp_path / "b.wav"
    empty.touch()
    assert refusal(empty) == "the file is empty (0 bytes), expected a sound file"
    assert refusal(tmp_path / "nobody.wav") == "no such sound file"
    assert refusal(tmp_path) == "no such sound file"


def test_a_truncated_flac_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, 0.1 * rng.standard_normal(16_000), 16_000)
    path.write_bytes(path.read_bytes()[:20_000])
    assert refusal(path) == ("the clip is damaged or cut off after 0.5 s (flac decoder lost "
                             "sync.); record it again")


def test_a_header_that_promises_more_than_there_is(tmp_path: Path) -> None:
    """Recorders that write to a pipe leave the length open; what is there is read."""
    path = tmp_path / "pipe.wav"
    soundfile.write(path, tone(1, 16_000), 16_000)
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = b"\xff" * 4
    path.write_bytes(content)
    assert read_clip(path).size == 16_000


def test_a_clip_of_ten_hours_is_refused(tmp_path: Path) -> None:
    """1.15 GB that take no room on the disk; no more than the limit is read."""
    path, size = tmp_path / "long.wav", 36_000 * 16_000 * 2
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    header = struct.pack("<4sI4s", b"RIFF", size + 36, b"WAVE") + form
    path.write_bytes(header + struct.pack("<4sI", b"data", size))
    with path.open("r+b") as file:
        file.truncate(44 + size)
    assert refusal(path) == ("the clip lasts over 600 s, at most as much is read; cut out the "
                             "speech first")


@pytest.mark.parametrize(("samples", "message"), [
    (np.zeros(16_000), "the clip is silent; check the microphone and record it again"),
    (np.full(16_000, 5e-5), "the clip is silent; check the microphone and record it again"),
    (np.full(16_000, np.nan), "the clip holds values that are not numbers; record it again"),
    (np.array([0.1] * 999 + [np.nan]), "the clip holds values that are not numbers; record it "
                                       "again"),
    (np.array([0.1] * 999 + [-np.inf]), "the clip holds values that are not numbers; record it "
                                        "again"),
    (np.zeros(0), "the clip holds no samples; record it again"),
])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_clips_without_speech_are_refused(
    tmp_path: Path, samples: Sound, message: str, rate: int
) -> None:
    soundfile.write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")
    assert refusal(tmp_path / "a.wav") == message


def test_resampling_keeps_what_has_the_rate_already() -> None:
    sound = tone(0.1, SAMPLE_RATE).astype(np.float32)
    assert resample(sound, SAMPLE_RATE) is sound
    assert resample(sound, 32_000).size == sound.size // 2


def test_noises_are_read_in_order(tmp_path: Path) -> None:
    for name, seconds in (("b.wav", 0.2), ("a.flac", 0.1)):
        soundfile.write(tmp_path / name, tone(seconds, 16_000), 16_000)
    (tmp_path / "readme.txt").write_text("not a noise")
    assert [noise.size for noise in read_noises(tmp_path)] == [1_600, 3_200]


def test_a_folder_without_noises_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError) as caught:
            read_noises(folder)
        assert str(caught.value) == (f"{folder}: expected a folder with sound files of noise, "
                                     "found none")


# Sounds of every length and kind: a few numbers, stretched and repeated.
SIZES = st.one_of(st.integers(1, 2_000), st.integers(CLIP_SAMPLES - 400, CLIP_SAMPLES + 400),
                  st.integers(1, 200_000))
SEEDS = st.integers(0, 1_000)


def speechlike(size: int, seed: int) -> Sound:
    """Noise whose loudness goes up and down: float32 [size]."""
    rng = np.random.default_rng(seed)
    envelope = np.interp(np.linspace(0, 1, size), np.linspace(0, 1, 12), rng.uniform(0, 1, 12)**3)
    return (envelope * rng.normal(0, 0.2, size)).astype(np.float32)


@given(SIZES, SEEDS)
def test_the_window_is_a_stretch_of_the_clip(size: int, seed: int) -> None:
    sound = speechlike(size, seed)
    window = speech_window(sound)
    assert window.shape == (CLIP_SAMPLES,) and window.dtype == np.float32
    if size <= CLIP_SAMPLES:
        np.testing.assert_array_equal(window, sound[np.arange(CLIP_SAMPLES) % size])
    else:
        starts = range(0, size - CLIP_SAMPLES + 1, HOP)
        assert any(np.array_equal(window, sound[s : s + CLIP_SAMPLES]) for s in starts)


@given(st.integers(CLIP_SAMPLES + 1, 150_000), SEEDS)
def test_the_window_has_the_most_speech(size: int, seed: int) -> None:
    """The rule again, written as a loop over windows."""
    sound = speechlike(size, seed)
    hops = [float(np.sqrt(np.mean(sound[i * HOP : (i + 1) * HOP].astype(np.float64) ** 2)))
            for i in range(size // HOP)]
    cap = sorted(hops)[int(0.9 * (len(hops) - 1))]
    capped = [min(value, cap) for value in hops]
    sums = [sum(capped[i : i + CLIP_SAMPLES // HOP])
            for i in range((size - CLIP_SAMPLES) // HOP + 1)]
    start = next(i for i, value in enumerate(sums) if value >= max(sums) * (1 - 1e-9)) * HOP
    np.testing.assert_array_equal(speech_window(sound), sound[start : start + CLIP_SAMPLES])


@given(st.integers(CLIP_SAMPLES + 1, 150_000), SEEDS, st.integers(-40, 40))
def test_loudness_does_not_move_the_window(size: int, seed: int, power: int) -> None:
    sound, factor = speechlike(size, seed), np.float32(2.0**power)
    np.testing.assert_array_equal(speech_window(sound * factor), speech_window(sound) * factor)


@given(st.integers(60, 258), st.integers(300, 500), st.floats(0, 1), SEEDS)
def test_the_loud_part_is_inside(loud: int, hops: int, place: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    start = round(place * (hops - loud)) * HOP
    sound = 0.001 * rng.standard_normal(hops * HOP + 32)
    sound[start : start + loud * HOP] = 0.5 * rng.choice([-1, 1], loud * HOP)
    window = speech_window(sound.astype(np.float32))
    assert np.count_nonzero(np.abs(window) > 0.4) == loud * HOP


def test_a_knock_does_not_outweigh_a_sentence(rng: np.random.Generator) -> None:
    sound = 0.001 * rng.standard_normal(10 * SAMPLE_RATE).astype(np.float32)
    sound[8_000:8_800] = 1.0
    sound[100_000:132_000] = 0.1 * rng.standard_normal(32_000)
    window = speech_window(sound)
    assert np.sum(window**2) > 0.99 * np.sum(sound[100_000:132_000] ** 2)


def test_of_equal_windows_the_first_is_taken() -> None:
    sound = np.tile(np.array([0.25, -0.25], np.float32), 60_000) * np.float32(1.1)
    sound[:2] = 0.275, -0.276
    np.testing.assert_array_equal(speech_window(sound), sound[:CLIP_SAMPLES])


FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(hnp.arrays(np.float32, st.integers(1, 60), elements=FLOATS, fill=FLOATS),
       st.integers(1, 2_000))
def test_the_window_never_fails(values: Sound, stretch: int) -> None:
    window = speech_window(np.repeat(values, stretch))
    assert window.shape == (CLIP_SAMPLES,) and np.isfinite(window).all()


def test_the_networks_input() -> None:
    assert voice_input(np.ones(3, np.float32)).shape == (1, CLIP_SAMPLES)


@given(st.integers(100, 50_000), st.integers(100, 50_000), st.floats(-10, 40), SEEDS)
def test_noise_comes_at_the_ratio_asked_for(
    size: int, noise_size: int, snr_db: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    sound = (0.3 * rng.standard_normal(size)).astype(np.float32)
    noise = (rng.uniform(0.001, 2) * rng.standard_normal(noise_size)).astype(np.float32)
    mixed = mix_noise(sound, noise, snr_db, np.random.default_rng(seed))
    assert mixed.shape == sound.shape and mixed.dtype == np.float32
    assert np.abs(mixed).max() <= 1 + 1e-6
    # The stretch of noise is the generator's first draw; scaling by g leaves g * (sound + noise).
    start = int(np.random.default_rng(seed).integers(noise_size))
    stretch = np.resize(np.roll(noise, -start), size).astype(np.float64)
    gains, *_ = np.linalg.lstsq(np.column_stack([sound, stretch]), mixed.astype(np.float64))
    ratio = (gains[0]**2 * np.mean(sound.astype(float)**2)) / (gains[1]**2 * np.mean(stretch**2))
    assert 10 * np.log10(ratio) == pytest.approx(snr_db, abs=0.01)


def test_silent_noise_changes_nothing(rng: np.random.Generator) -> None:
    sound = tone(0.1, 16_000).astype(np.float32)
    np.testing.assert_array_equal(mix_noise(sound, np.zeros(50, np.float32), 5, rng), sound)
