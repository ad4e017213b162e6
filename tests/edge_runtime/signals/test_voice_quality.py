"""Gates for clips: sentences pass, and each way to spoil one is told by its own word."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.dataset.people import index_people
from edge_runtime.errors import UsageError
from edge_runtime.signals.voice import (
    SAMPLE_RATE,
    Sound,
    mix_noise,
    read_clip,
    read_noises,
    resample,
)
from edge_runtime.signals.voice_quality import is_clipped, snr_db, speech_seconds, voice_quality
from train.synthetic.voices import Speaker, speak


def reasons(sound: Sound) -> list[str]:
    flaws = voice_quality(sound.astype(np.float32))
    assert all(flaw.refuses is (flaw.reason != "some_noise") and "\n" not in flaw.message
               for flaw in flaws)
    return [flaw.reason for flaw in flaws]


def overdriven(sound: Sound, by: float) -> Sound:
    return np.clip(by * sound / np.abs(sound).max(), -1, 1).astype(np.float32)


def hiss(seconds: float, seed: int = 0) -> Sound:
    noise = np.random.default_rng(seed).normal(0, 0.1, round(seconds * SAMPLE_RATE))
    return noise.astype(np.float32)


def test_sentences_pass() -> None:
    found = [reasons(speak(Speaker.draw(np.random.default_rng([i, 1])),
                           np.random.default_rng([i, 2]))) for i in range(20)]
    assert sum(map(bool, found)) <= 1


def test_too_little_speech(voice_clip: Sound) -> None:
    assert reasons(voice_clip) == []
    start = voice_clip.size // 2
    short = voice_clip[start : start + round(0.7 * SAMPLE_RATE)]
    assert reasons(short) == ["too_little_speech"]
    message = voice_quality(short)[0].message
    assert message.endswith(" s of speech were heard, at least 1.0 s are needed; speak on")
    silence = np.zeros(3 * SAMPLE_RATE, np.float32)
    assert reasons(np.concatenate([silence, short])) == ["too_little_speech"]


def test_silence_has_no_speech() -> None:
    assert speech_seconds(np.zeros(2 * SAMPLE_RATE, np.float32)) == 0
    assert reasons(np.zeros(2 * SAMPLE_RATE)) == ["too_little_speech", "voice_too_quiet"]
    assert reasons(np.zeros(0)) == ["too_little_speech"]


def test_too_quiet(voice_clip: Sound) -> None:
    loud = voice_clip / np.sqrt(np.mean(np.square(voice_clip)))
    assert "voice_too_quiet" not in reasons(loud * 10 ** (-45 / 20))
    assert "voice_too_quiet" in reasons(loud * 10 ** (-60 / 20))


@pytest.mark.parametrize("level", [1.0, 0.1])
def test_overload(voice_clip: Sound, level: float) -> None:
    """Whatever comes after: a lower level, or another rate."""
    assert reasons(level * overdriven(voice_clip, 3)) == ["voice_clipped"]
    fine = resample(voice_clip, SAMPLE_RATE // 3)  # three times as many samples
    recorded = resample(level * overdriven(fine, 3), 3 * SAMPLE_RATE)
    assert is_clipped(recorded)
    assert not is_clipped(level * overdriven(voice_clip, 1))


def test_faint_steps_are_no_overload() -> None:
    """At a few steps of a 16-bit recording, all peaks are equal."""
    steps = np.random.default_rng(0).integers(-3, 4, SAMPLE_RATE) / 32_768
    assert not is_clipped(steps.astype(np.float32))


def test_noise(voice_clip: Sound, rng: np.random.Generator) -> None:
    for snr in (20, 12):
        assert reasons(mix_noise(voice_clip, hiss(10), snr, rng)) == []
    assert reasons(mix_noise(voice_clip, hiss(10), 7.5, rng)) == ["some_noise"]
    for snr in (0, -5):
        assert reasons(mix_noise(voice_clip, hiss(10), snr, rng)) == ["voice_noisy"]


def test_the_snr_is_near_the_true_one(voice_clip: Sound, rng: np.random.Generator) -> None:
    for snr in (15, 10, 5, 0):
        found = snr_db(mix_noise(voice_clip, hiss(10), snr, rng))
        assert found is not None and abs(found - snr) < 1.5


def test_padding_does_not_hide_noise(voice_clip: Sound, rng: np.random.Generator) -> None:
    noisy = mix_noise(voice_clip, hiss(10), 0, rng)
    assert "voice_noisy" in reasons(np.concatenate([noisy, np.zeros(SAMPLE_RATE, np.float32)]))


def test_noise_alone() -> None:
    assert "voice_noisy" in reasons(hiss(3))
    assert snr_db(hiss(0.2)) is None  # too short to tell


def test_without_webrtcvad(monkeypatch: pytest.MonkeyPatch, voice_clip: Sound) -> None:
    monkeypatch.setitem(sys.modules, "webrtcvad", None)
    with pytest.raises(UsageError, match=r"pip install 'visavox\[capture\]'"):
        voice_quality(voice_clip)


@given(st.integers(0, 30_000), st.floats(0, 3), st.sampled_from(
    ["noise", "square", "click", "constant", "steps"]))
def test_odd_sounds(samples: int, level: float, kind: str) -> None:
    rng = np.random.default_rng(samples)
    sound = {"noise": rng.normal(0, 1, samples), "square": np.sign(np.sin(np.arange(samples) / 9)),
             "click": np.eye(1, samples, samples // 2)[0] if samples else np.zeros(0),
             "constant": np.ones(samples), "steps": np.round(rng.uniform(-2, 2, samples))}[kind]
    found = reasons(np.clip(level * sound, -1, 1))
    assert len(set(found)) == len(found)
    if samples < SAMPLE_RATE:
        assert found[0] == "too_little_speech"


@pytest.mark.data
@pytest.mark.parametrize("name", ["people30", "kiosk95"])
def test_real_clips_are_hardly_refused_and_spoilt_ones_are(data_root: Path, name: str) -> None:
    people = index_people(data_root / name)
    clips = [read_clip(people.root / s.path) for s in people.of("voice", "test")][::2]
    noises = read_noises(data_root / "noise" / "train")

    def refused(sounds: list[Sound], reason: str) -> float:
        return float(np.mean([reason in reasons(sound) for sound in sounds]))

    rng = np.random.default_rng(0)
    assert np.mean([bool(reasons(clip)) for clip in clips]) < 0.02
    assert refused([mix_noise(clip, noises[0], 0, rng) for clip in clips], "voice_noisy") > 0.9
    assert refused([mix_noise(clip, noises[0], 5, rng) for clip in clips], "voice_noisy") < 0.03
    assert refused([overdriven(clip, 4) for clip in clips], "voice_clipped") > 0.9
    assert refused([clip * np.float32(0.01) for clip in clips], "voice_too_quiet") > 0.9
