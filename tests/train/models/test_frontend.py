"""The front end in the graph equals librosa's, is normalised, small and can be trained through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import librosa
import numpy as np
import numpy.typing as npt
import pytest
from librosa.filters import mel

from edge_runtime.dataset.people import index_people
from edge_runtime.signals.voice import CLIP_SAMPLES, SAMPLE_RATE, read_clip, speech_window
from train.models.frontend import (
    FFT_SIZE,
    LAYER_NAME,
    MAX_HZ,
    NUM_FRAMES,
    NUM_MELS,
    POWER_FLOOR,
    LogMel,
    _constants,
    mel_filters,
)

Array = npt.NDArray[Any]


def by_librosa(samples: Array) -> Array:
    """Float64 [NUM_FRAMES, NUM_MELS] of one clip."""
    power = librosa.feature.melspectrogram(
        y=samples.astype(np.float64), sr=SAMPLE_RATE, n_fft=512, win_length=400, hop_length=160,
        center=False, power=2.0, n_mels=64, fmin=0.0, fmax=8000.0, htk=False, norm="slaney",
        window="hann", dtype=np.float64)
    return np.log(np.maximum(power, 1e-5)).T


def by_layer(clips: Array, normalize: bool = False) -> Array:
    return np.asarray(LogMel(normalize)(clips.astype(np.float32)))[..., 0]


def sweep(start_hz: float, end_hz: float) -> Array:
    hz = np.geomspace(start_hz, end_hz, CLIP_SAMPLES)
    return 0.8 * np.sin(2 * np.pi * np.cumsum(hz) / SAMPLE_RATE)


def impulse(place: int) -> Array:
    return (np.arange(CLIP_SAMPLES) == place).astype(float)


NOISE = np.random.default_rng(0).standard_normal(CLIP_SAMPLES)
SOUNDS = {
    "loud noise": np.clip(0.3 * NOISE, -1, 1), "faint noise": 1e-4 * NOISE,
    "brown noise": np.cumsum(NOISE) / np.abs(np.cumsum(NOISE)).max(),
    "sweep up": sweep(20, 8_000), "sweep down": sweep(8_000, 50), "silence": 0 * NOISE,
    "constant": 0 * NOISE + 1, "highest tone": np.cos(np.pi * np.arange(CLIP_SAMPLES)),
    "tone between bins": sweep(1_015, 1_016), "first sample": impulse(0),
    "window's first": impulse(56), "last sample": impulse(CLIP_SAMPLES - 1),
    "some impulses": impulse(256) + impulse(20_001) - impulse(41_000),
}


def test_the_frames() -> None:
    assert (NUM_FRAMES, NUM_MELS, FFT_SIZE, MAX_HZ, POWER_FLOOR) == (256, 64, 512, 8_000, 1e-5)
    assert LogMel().name == LAYER_NAME


def test_equal_to_librosa() -> None:
    found = by_layer(np.stack(list(SOUNDS.values())))
    for name, row in zip(SOUNDS, found, strict=True):
        samples = SOUNDS[name].astype(np.float32)
        assert np.abs(row - by_librosa(samples)).max() < 1e-4, name


def test_equal_to_librosa_on_a_synthetic_voice(voice_clip: Array) -> None:
    window = speech_window(voice_clip)
    found = by_layer(window[np.newaxis])[0]
    assert np.abs(found - by_librosa(window)).max() < 1e-4
    assert found.std() > 1  # there is something to hear


@pytest.mark.data
def test_equal_to_librosa_on_real_clips(data_root: Path) -> None:
    clips = index_people(data_root / "people30").of("voice", "test")[::25][:5]
    assert len(clips) == 5
    windows = np.stack([speech_window(read_clip(data_root / "people30" / s.path)) for s in clips])
    for window, found in zip(windows, by_layer(windows), strict=True):
        assert np.abs(found - by_librosa(window)).max() < 1e-4


def test_mel_filters_are_librosas() -> None:
    expected = mel(sr=16_000, n_fft=512, n_mels=64, fmin=0, fmax=8_000, dtype=np.float64)
    np.testing.assert_allclose(mel_filters(), expected, rtol=0, atol=1e-7)


def test_normalised_clips_have_mean_0_and_deviation_1(voice_clip: Array) -> None:
    clips = np.stack([speech_window(voice_clip), SOUNDS["loud noise"], SOUNDS["sweep up"]])
    found = by_layer(clips, normalize=True)
    np.testing.assert_allclose(found.mean(axis=(1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(found.std(axis=(1, 2)), 1, atol=1e-3)
    plain = by_layer(clips)
    for row, log_mel in zip(found, plain, strict=True):
        np.testing.assert_allclose(row, (log_mel - log_mel.mean()) / log_mel.std(), atol=1e-3)


def test_silence_stays_finite() -> None:
    np.testing.assert_allclose(by_layer(np.zeros((1, CLIP_SAMPLES)), normalize=True), 0, atol=0.02)


def test_a_clip_does_not_hang_on_its_neighbours(voice_clip: Array) -> None:
    clips = np.stack([SOUNDS["loud noise"], speech_window(voice_clip)])
    together, alone = by_layer(clips, normalize=True), by_layer(clips[1:], normalize=True)
    np.testing.assert_allclose(together[1], alone[0], atol=1e-5)


def test_the_constants_are_small() -> None:
    assert sum(array.nbytes for array in _constants()) < 0.3e6
    assert all(array.dtype == np.float32 for array in _constants())
    layer = LogMel()
    layer(np.zeros((1, CLIP_SAMPLES), np.float32))
    assert layer.count_params() == 0


def test_shapes_are_known_before_anything_runs() -> None:
    data = keras.Input((CLIP_SAMPLES,), dtype="float32")
    assert LogMel()(data).shape == (None, NUM_FRAMES, NUM_MELS, 1)


def test_the_gradient_passes(rng: np.random.Generator) -> None:
    """One step of gradient descent on a gain before the front end, against finite differences."""
    samples = (0.1 * rng.standard_normal((2, CLIP_SAMPLES))).astype(np.float32)
    weights = rng.standard_normal((NUM_FRAMES * NUM_MELS, 1)).astype(np.float32)
    targets = np.zeros((2, 1), np.float32)
    data = keras.Input((CLIP_SAMPLES,))
    gain = keras.layers.Conv1D(1, 1, use_bias=False, kernel_initializer="ones", name="gain")
    louder = keras.layers.Flatten()(gain(keras.layers.Reshape((CLIP_SAMPLES, 1))(data)))
    flat = keras.layers.Flatten()(LogMel(normalize=False)(louder))
    out = keras.layers.Dense(1, use_bias=False, trainable=False, name="out")(flat)
    network = keras.Model(data, out)
    network.get_layer("out").set_weights([weights])
    network.compile(keras.optimizers.SGD(1e-6), "mse", jit_compile=False)

    def loss_at(value: float) -> float:
        gain.set_weights([np.full((1, 1, 1), value, np.float32)])
        return float(network.evaluate(samples, targets, verbose=0))

    slope = (loss_at(1.01) - loss_at(0.99)) / 0.02
    gain.set_weights([np.ones((1, 1, 1), np.float32)])
    network.train_on_batch(samples, targets)
    step = float(gain.get_weights()[0].item() - 1)
    assert np.isfinite(step) and step != 0
    assert step == pytest.approx(-1e-6 * slope, rel=0.02)
