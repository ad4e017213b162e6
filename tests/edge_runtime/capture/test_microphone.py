"""The last seconds of sound, from blocks of any size, on a generator in the place of a driver."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.capture.microphone import KEPT_SECONDS, Clip, Microphone, Resampler
from edge_runtime.capture.source import DeviceError, Produce
from tests.edge_runtime.capture.stand_ins import seconds_until, tone, wait_until


def counting(blocks: list[int], begun_s: float, done: list[int]) -> Produce[Clip]:
    """Blocks of so many samples; each sample is its own number over a million. All at once, and
    as if the first had been heard at `begun_s`. Their number goes into `done` at the end."""
    def clips(stop: threading.Event) -> Generator[Clip, None, None]:
        at = 0
        for size in blocks:
            sound = np.arange(at, at + size, dtype=np.float32) / np.float32(1e6)
            at += size
            yield Clip(sound, begun_s + at / 16_000)
        done.append(at)
        stop.wait(20)

    return clips


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=30), st.floats(0.01, 20))
def test_the_last_samples_in_order(blocks: list[int], seconds: float) -> None:
    total = sum(blocks)
    begun_s, done = time.monotonic() - total / 16_000, list[int]()
    with Microphone("microphone", counting(blocks, begun_s, done)) as microphone:
        wait_until(lambda: bool(done), 5.0)
        clip = microphone.last(seconds, 0.0)
    assert clip is not None
    expected = min(round(seconds * 16_000), round(KEPT_SECONDS * 16_000), total)
    assert clip.sound.size == expected
    numbers = np.arange(total - expected, total) / 1e6
    constant = numbers.mean() if expected else 0.0
    np.testing.assert_allclose(clip.sound, numbers - constant, atol=2e-7)
    assert clip.start_s == pytest.approx(begun_s + (total - expected) / 16_000)


def test_waiting_for_enough_and_for_newer() -> None:
    go = threading.Event()

    def clips(stop: threading.Event) -> Generator[Clip, None, None]:
        yield Clip(tone(440, 0.5, 16_000), time.monotonic())
        go.wait(20)
        yield Clip(tone(440, 0.5, 16_000), time.monotonic())
        stop.wait(20)

    with Microphone("microphone", clips) as microphone:
        asked_s = time.monotonic()
        half = microphone.last(1.0, 0.3)
        assert half is not None and half.sound.size == 8_000  # what there is
        assert time.monotonic() - asked_s == pytest.approx(0.3, abs=0.15)
        assert microphone.last(0.1, 0.1, newer_than=half) is None
        threading.Timer(0.2, go.set).start()
        whole = microphone.last(1.0, 5.0, newer_than=half)
        assert whole is not None and whole.sound.size == 16_000
        assert time.monotonic() - asked_s < 2.0


def test_sound_of_before_a_loss_is_not_joined_to_that_after() -> None:
    runs: list[int] = []

    def clips(stop: threading.Event) -> Generator[Clip, None, None]:
        runs.append(1)
        yield Clip(tone(100 * len(runs), 0.5, 16_000), time.monotonic())
        if len(runs) == 1:
            raise DeviceError("missing", "gone")
        stop.wait(20)

    with Microphone("microphone", clips) as microphone:
        while len(runs) < 2:
            time.sleep(0.01)
        seconds_until(microphone, "ok", 2.0)
        clip = microphone.last(1.0, 0.0)
        assert clip is not None and clip.sound.size == 8_000
        np.testing.assert_allclose(clip.sound, tone(200, 0.5, 16_000), atol=1e-6)


@given(st.sampled_from([8_000, 16_000, 22_050, 44_100, 48_000, 96_000]), st.integers(1, 2),
       st.lists(st.integers(0, 5_000), max_size=20))
def test_a_stream_is_resampled_as_a_whole_clip_is(
    rate: int, channels: int, sizes: list[int]
) -> None:
    sound = tone(440, 1.0, rate) * np.linspace(0, 1, rate, dtype=np.float32)
    block = np.stack([sound] * channels, axis=1)
    resampler = Resampler(rate)
    clips, at = [], 0
    for size in [*sizes, rate]:
        at_end = min(at + size, rate)
        last = len(clips) == len(sizes)
        clips.append(resampler.clip(block[at:at_end], 100 + at_end / rate, last=last))
        at = at_end
    found = np.concatenate([clip.sound for clip in clips])
    expected = soxr.resample(sound, rate, 16_000)
    assert found.dtype == np.float32 and found.size == 16_000
    np.testing.assert_allclose(found, expected, atol=1e-3)
    heard = np.cumsum([clip.sound.size for clip in clips])
    assert [clip.end_s for clip in clips] == pytest.approx(100 + heard / 16_000)


def test_two_channels_become_their_mean() -> None:
    stereo = np.stack([tone(440, 1, 16_000), tone(1_000, 1, 16_000)], axis=1)
    found = Resampler(16_000).clip(stereo, 1.0).sound
    np.testing.assert_allclose(found, stereo.mean(axis=1), atol=1e-6)


def test_channels_that_cancel_are_heard() -> None:
    stereo = np.stack([tone(440, 1, 44_100), -tone(440, 1, 44_100)], axis=1)
    found = Resampler(44_100).clip(stereo, 1.0, last=True).sound
    assert np.abs(found[1000:-1000]).max() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(("constant", "state"), [(0.3, "silent"), (0.0, "silent")])
def test_a_constant_is_silence(constant: float, state: str) -> None:
    def clips(stop: threading.Event) -> Generator[Clip, None, None]:
        for _ in range(60):
            yield Clip(np.full(800, constant, np.float32), time.monotonic())
        stop.wait(20)

    with Microphone("microphone", clips) as microphone:
        seconds_until(microphone, state, 3.0)


def test_a_constant_is_taken_off_a_voice() -> None:
    sound = tone(440, 1, 16_000)

    def clips(stop: threading.Event) -> Generator[Clip, None, None]:
        yield Clip(sound + np.float32(0.4), time.monotonic())
        stop.wait(20)

    with Microphone("microphone", clips) as microphone:
        clip = microphone.last(1.0, 3.0)
        assert clip is not None
        np.testing.assert_allclose(clip.sound, sound, atol=1e-6)
