"""One channel of several, and no constant in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.signals.voice import ChannelPower, Mixer, centred, channel_weights

Array = npt.NDArray[Any]
RATE = 16_000


def noise(seed: int, size: int = RATE, level: float = 0.1) -> Array:
    return np.float32(level) * np.random.default_rng(seed).standard_normal(size, np.float32)


def weights(*channels: Array) -> list[float]:
    block = np.stack(channels, axis=1).astype(np.float32)
    return [round(float(w), 3) for w in channel_weights(ChannelPower(RATE).add(block))]


VOICE = noise(1)
OTHER = noise(2)
DEAD = 0 * VOICE


@pytest.mark.parametrize(("channels", "expected"), [
    ([VOICE], [1]),
    ([VOICE, VOICE], [0.5, 0.5]),
    ([VOICE, OTHER], [0.5, 0.5]),
    ([VOICE, 0.3 * VOICE], [0.5, 0.5]),
    ([VOICE, DEAD], [1, 0]),
    ([DEAD, VOICE], [0, 1]),
    ([VOICE, noise(3, level=0.005)], [1, 0]),
    ([VOICE, -VOICE], [1, 0]),
    ([0.9 * VOICE, -VOICE], [0, 1]),
    ([VOICE, -0.97 * VOICE + 0.03 * OTHER], [1, 0]),
    ([VOICE, VOICE, -VOICE, -VOICE], [1, 0, 0, 0]),
    ([DEAD] * 3 + [VOICE] + [DEAD] * 4, [0, 0, 0, 1, 0, 0, 0, 0]),
    ([VOICE, 0.2 + DEAD], [1, 0]),  # a constant is no sound
    ([0.5 - VOICE, 0.5 + VOICE], [1, 0]),
    ([DEAD, DEAD], [0.5, 0.5]),
    ([VOICE, DEAD + np.nan], [0.5, 0.5]),
])
def test_what_a_person_hears_is_used(channels: list[Array], expected: list[float]) -> None:
    assert weights(*channels) == expected


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.integers(0, 99),
       st.lists(st.sampled_from([-1, 1]), min_size=8, max_size=8))
def test_no_mixture_is_quieter_than_half_of_what_is_heard(
    levels: list[float], seed: int, signs: list[int]
) -> None:
    shared = noise(seed)
    block = np.stack([sign * np.float32(level) * shared + noise(seed + 100 + i, level=0.001)
                      for i, (level, sign) in enumerate(zip(levels, signs, strict=False))], axis=1)
    found = channel_weights(ChannelPower(RATE).add(block))
    assert found.min() >= 0 and found.sum() == pytest.approx(1)
    heard = [block[:, i].var() for i in np.flatnonzero(found)]
    assert (block @ found).var() >= 0.4 * np.mean(heard) / len(heard)


@given(st.lists(st.integers(0, 5_000), max_size=12), st.floats(-0.5, 0.5))
def test_blocks_change_nothing_where_channels_stay_as_they_are(
    sizes: list[int], constant: float
) -> None:
    block = np.stack([VOICE + np.float32(constant), VOICE], axis=1)
    mixer, at, found = Mixer(RATE), 0, []
    for size in [*sizes, RATE]:
        found.append(mixer.mono(block[at:at + size]))
        at += size
    np.testing.assert_allclose(np.concatenate(found), block.mean(axis=1), atol=1e-6)


def test_a_channel_that_dies_is_left_without_a_click() -> None:
    tone = 0.3 * np.sin(2 * np.pi * 200 * np.arange(8 * RATE) / RATE).astype(np.float32)
    stereo = np.stack([tone, tone], axis=1)
    stereo[RATE:, 1] = 0
    mixer = Mixer(RATE)
    found = np.concatenate([mixer.mono(stereo[at:at + 800]) for at in range(0, 8 * RATE, 800)])
    assert np.abs(found[7 * RATE:]).max() == pytest.approx(0.3, abs=0.01)
    kept = np.delete(np.abs(np.diff(found)), RATE - 1)  # without the death itself
    assert kept.max() < 1.1 * np.abs(np.diff(tone)).max()


@given(st.integers(0, 3_000), st.floats(-0.5, 0.5))
def test_a_constant_is_taken_off(size: int, constant: float) -> None:
    sound = noise(5, size)
    found = centred(sound + np.float32(constant))
    assert found.dtype == np.float32 and found.size == size
    np.testing.assert_allclose(found, sound - (sound.mean() if size else 0), atol=2e-6)
    assert centred(found) is found
