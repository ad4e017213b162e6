"""Augmentation: shapes and ranges, the same by generator, masks in training only."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.signals.voice import CLIP_SAMPLES, speech_window
from train.models.build import LEVEL_RMS, _levelled
from train.models.frontend import SpectrogramMasks
from train.training.augment import augment_clip, augment_face

Array = npt.NDArray[Any]
SEEDS = st.integers(0, 10_000)


def face_of(side: int, seed: int = 0) -> Array:
    """Smooth colours: uint8 [side, side, 3]."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(0, 6, side), np.linspace(0, 6, side))
    waves = [128 + 100 * np.sin(x * a + y * b) for a, b in rng.uniform(-1, 1, (3, 2))]
    return np.stack(waves, axis=-1).astype(np.uint8)


@given(st.sampled_from([(32, 36), (64, 64), (64, 72), (96, 48), (128, 144)]), SEEDS)
def test_faces_keep_shape_and_range(sizes: tuple[int, int], seed: int) -> None:
    size, side = sizes
    view = augment_face(face_of(side), size, np.random.default_rng(seed))
    assert view.shape == (size, size, 3) and view.dtype == np.float32
    assert view.min() >= 0 and view.max() <= 255


@pytest.mark.parametrize("value", [0, 255])
def test_flat_faces_stay_in_range(value: int) -> None:
    for seed in range(20):
        view = augment_face(np.full((72, 72, 3), value, np.uint8), 64,
                            np.random.default_rng(seed))
        assert np.isfinite(view).all() and view.min() >= 0 and view.max() <= 255


def test_a_face_is_the_same_by_generator_and_else_another() -> None:
    face = face_of(72)
    before = face.copy()
    one, again, other = (augment_face(face, 64, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).mean() > 5
    np.testing.assert_array_equal(face, before)


def test_a_view_still_shows_the_face() -> None:
    """On average the views resemble their own face more than another one."""
    faces = [face_of(72, seed).astype(float) for seed in (0, 1)]
    own, mirrored, foreign = [], [], []
    for seed in range(40):
        view = augment_face(face_of(72, 0), 64, np.random.default_rng(seed))
        likeness = [np.corrcoef(view.ravel(), np.ravel(picture))[0, 1] for picture in (
            faces[0][4:68, 4:68], faces[0][4:68, 67:3:-1], faces[1][4:68, 4:68])]
        own.append(likeness[0])
        mirrored.append(likeness[1])
        foreign.append(likeness[2])
    assert np.mean(np.maximum(own, mirrored)) > 0.5 > np.mean(foreign)
    assert 10 <= np.sum(np.array(own) > np.array(mirrored)) <= 30  # flipped half of the time


@settings(max_examples=25)
@given(st.integers(1, 100_000), SEEDS, st.booleans())
def test_clips_of_any_length(size: int, seed: int, recorded: bool) -> None:
    rng = np.random.default_rng(seed)
    clip = (0.1 * rng.standard_normal(size)).astype(np.float32)
    noises = [rng.standard_normal(n).astype(np.float32) for n in (1, 50_000)] if recorded else []
    before = clip.copy()
    found = augment_clip(clip, [clip], noises, np.random.default_rng(seed))
    assert found.shape == (CLIP_SAMPLES,) and found.dtype == np.float32
    assert np.isfinite(found).all()
    assert 0 < np.abs(found).max() <= 1 + 1e-6
    np.testing.assert_array_equal(clip, before)
    again = augment_clip(clip, [clip], noises, np.random.default_rng(seed))
    np.testing.assert_array_equal(found, again)


def test_a_silent_clip_stays_finite() -> None:
    silence = np.zeros(20_000, np.float32)
    for seed in range(5):
        found = augment_clip(silence, [silence], [], np.random.default_rng(seed))
        assert np.isfinite(found).all() and np.abs(found).max() <= 1


def test_clips_differ_by_generator(voice_clip: Array) -> None:
    one, other = (augment_clip(voice_clip, [], [], np.random.default_rng(s)) for s in (1, 2))
    assert np.abs(np.corrcoef(one, other)[0, 1]) < 0.5


def test_clips_of_the_same_person_are_spliced() -> None:
    """Half of the views go over from one clip to another, at the first one's level."""
    low, high = (np.sin(2 * np.pi * hz * np.arange(60_000) / 16_000).astype(np.float32)
                 for hz in (200, 3000))

    def share_of_high(seed: int) -> float:
        view = augment_clip(0.1 * low, [0.5 * high], [], np.random.default_rng(seed))
        power = np.abs(np.fft.rfft(view)) ** 2
        near = int(3000 / 16_000 * CLIP_SAMPLES)
        return float(power[near - 50 : near + 50].sum() / power.sum())

    shares = np.array([share_of_high(seed) for seed in range(200)])
    assert 70 <= np.sum(shares > 0.1) <= 130
    assert shares.max() < 0.95  # the clip itself is never lost


def test_without_time_shift_a_clip_stays_in_place(voice_clip: Array) -> None:
    views = [augment_clip(voice_clip, [voice_clip], [], np.random.default_rng(seed),
                          time_shift=False) for seed in range(20)]
    window = speech_window(voice_clip)
    assert sum(np.array_equal(view, window) for view in views) >= 10  # without noise


def test_recorded_noise_is_used(voice_clip: Array) -> None:
    """A hum of 50 Hz in the noises is heard in some clips, and in none without it."""
    hum = np.sin(2 * np.pi * 50 * np.arange(16_000) / 16_000).astype(np.float32)
    clip = np.random.default_rng(0).standard_normal(50_000).astype(np.float32)

    def humming(noises: list[Array]) -> int:
        views = [augment_clip(clip, [clip], noises, np.random.default_rng(s)) for s in range(120)]
        spectra = [np.abs(np.fft.rfft(view)) ** 2 for view in views]
        share = [float(s[120:140].sum() / s.sum()) for s in spectra]  # 46 to 54 Hz
        return sum(s > 0.02 for s in share)

    assert humming([hum]) >= 5
    assert humming([]) == 0


def test_masks_hide_nothing_at_inference(rng: np.random.Generator) -> None:
    spectrogram = rng.standard_normal((3, 256, 64, 1)).astype(np.float32)
    masks = SpectrogramMasks()
    np.testing.assert_array_equal(np.asarray(masks(spectrogram)), spectrogram)
    np.testing.assert_array_equal(np.asarray(masks(spectrogram, training=False)), spectrogram)
    assert masks.count_params() == 0


def test_masks_hide_stretches_in_training() -> None:
    masks = SpectrogramMasks(num_masks=2, max_frames=40, max_mels=10)
    found = np.asarray(masks(np.ones((16, 256, 64, 1), np.float32), training=True))[..., 0]
    assert found.shape == (16, 256, 64) and set(np.unique(found)) == {0, 1}
    frames, mels = (found == 0).all(axis=2), (found == 0).all(axis=1)
    np.testing.assert_array_equal(found == 0, frames[:, :, None] | mels[:, None, :])
    for hidden, longest in ((frames, 2 * 40), (mels, 2 * 10)):
        assert hidden.sum(axis=1).max() <= longest
        starts = np.diff(hidden.astype(int), axis=1, prepend=0) == 1
        assert starts.sum(axis=1).max() <= 2
        assert len({row.tobytes() for row in hidden}) > 12  # every clip has its own
    again = np.asarray(masks(np.ones((16, 256, 64, 1), np.float32), training=True))[..., 0]
    assert not np.array_equal(found, again)


def test_masks_reach_both_ends() -> None:
    masks = SpectrogramMasks(num_masks=1, max_frames=200, max_mels=50)
    found = np.asarray(masks(np.ones((400, 256, 64, 1), np.float32), training=True))[..., 0]
    frames, mels = (found == 0).all(axis=2), (found == 0).all(axis=1)
    for hidden in (frames, mels):
        assert hidden[:, :3].any() and hidden[:, -3:].any()


def test_the_network_takes_quiet_and_loud_clips_alike(voice_clip: Array) -> None:
    clip = np.resize(voice_clip, CLIP_SAMPLES)[np.newaxis]
    loud, quiet = (np.asarray(_levelled(gain * clip)) for gain in (1.0, 0.05))
    np.testing.assert_allclose(quiet, loud, rtol=1e-4, atol=1e-7)
    assert np.sqrt(np.mean(loud**2)) == pytest.approx(LEVEL_RMS, rel=1e-3)
