"""The voice front end as part of the network: samples in, normalised log-mel spectrogram out.

Equal to librosa.feature.melspectrogram(n_fft=512, win_length=400, hop_length=160, center=False,
n_mels=64, fmax=8000, power=2), logarithm over a floor.

The Fourier transform is a product with constants, because TFLite has no small real FFT that
accelerators know. Two symmetries cut a plain 512-point product (1.2 MB of constants) to a sixth:

1. The window w is even about its middle sample, so that with e[k] = x[k] + x[-k] and
   o[k] = x[k] - x[-k], counted from the middle, the real part is sum e[k] w[k] cos(2 pi f k / 512)
   and the imaginary part sum o[k] w[k] sin(2 pi f k / 512). The phase of the middle does not
   matter to the power.
2. cos(2 pi (256 - f) k / 512) = (-1)^k cos(2 pi f k / 512), and the sine likewise with the sign
   turned: sums over even k and over odd k of the bins 0..128 also give the bins 256..128.
"""

from __future__ import annotations

import functools

import keras
import numpy as np
from keras import ops

from edge_runtime.signals.voice import CLIP_SAMPLES, HOP, SAMPLE_RATE

FFT_SIZE = 512
WINDOW_SIZE = 400
NUM_MELS = 64
NUM_FRAMES = (CLIP_SAMPLES - FFT_SIZE) // HOP + 1
POWER_FLOOR = 1e-5
MAX_HZ = 8_000.0
LAYER_NAME = "front_end"  # recipes find the constants that stay float32 by this name

_HALF = WINDOW_SIZE // 2  # samples on each side of the middle one
_QUARTER = _HALF // 2  # of them with an even distance k, and with an odd one
_BLOCK = 25  # see LogMel._reversed; XNNPACK splits into four at most


class LogMel(keras.layers.Layer):
    """float32 [batch, CLIP_SAMPLES] in -1 to 1 -> float32 [batch, NUM_FRAMES, NUM_MELS, 1].

    With `normalize`, each clip's spectrogram is brought to mean 0 and standard deviation 1.
    It owns constants only, no weights; its name marks them for the recipes.
    """

    def __init__(self, normalize: bool = True, name: str = LAYER_NAME) -> None:
        super().__init__(name=name, trainable=False, dtype="float32")
        self.normalize = normalize

    def call(self, samples: keras.KerasTensor) -> keras.KerasTensor:
        log_mel = ops.log(ops.maximum(self._mel_power(samples), POWER_FLOOR))
        log_mel = ops.reshape(log_mel, (-1, NUM_FRAMES, NUM_MELS, 1))
        if not self.normalize:
            return log_mel
        centred = log_mel - _mean(log_mel)
        variance = _mean(ops.square(centred))
        return centred * ops.rsqrt(variance + POWER_FLOOR)

    def _mel_power(self, samples: keras.KerasTensor) -> keras.KerasTensor:
        """[batch, CLIP_SAMPLES] -> [batch * NUM_FRAMES, NUM_MELS]."""
        cosines, sines, mel = _constants()
        after_even, after_odd, before_even, before_odd = self._halves(samples)
        real_even = ops.matmul(after_even + before_even, cosines[0])
        real_odd = ops.matmul(after_odd + before_odd, cosines[1])
        imaginary_even = ops.matmul(after_even - before_even, sines[0])
        imaginary_odd = ops.matmul(after_odd - before_odd, sines[1])
        low = ops.square(real_even + real_odd) + ops.square(imaginary_even + imaginary_odd)
        high = ops.square(real_even - real_odd) + ops.square(imaginary_even - imaginary_odd)
        return ops.matmul(ops.concatenate([low, high], axis=-1), mel)

    def _halves(self, samples: keras.KerasTensor) -> list[keras.KerasTensor]:
        """Samples after and before each frame's middle, split by the parity of their distance.

        Four of [batch * NUM_FRAMES, _QUARTER]; row f, column j of them holds, with m the middle of
        frame f: x[m + 2j], x[m + 2j + 1], x[m - 2j] (half for j = 0, where the two sides are the
        same sample), x[m - 2j - 1].
        """
        pairs = ops.reshape(samples, (-1, CLIP_SAMPLES // 2, 2))
        even, odd = (ops.reshape(half, (-1, CLIP_SAMPLES // 2))
                     for half in ops.split(pairs, 2, axis=2))
        middle = FFT_SIZE // 4  # of the first frame, in samples of one parity
        after_even = _frames(even, middle)
        after_odd = _frames(odd, middle)
        before_even = self._reversed(_frames(even, middle - _QUARTER + 1))
        before_odd = self._reversed(_frames(odd, middle - _QUARTER))
        return [after_even, after_odd, before_even, before_odd]

    def _reversed(self, rows: keras.KerasTensor) -> keras.KerasTensor:
        """Turn each row of [n, _QUARTER] around.

        TFLite's REVERSE runs outside of XNNPACK and would cut the network in two; so blocks change
        places by slicing, and a product with an exchange matrix turns each block around.
        """
        exchange = np.eye(_BLOCK, dtype=np.float32)[::-1].copy()
        turned = ops.matmul(ops.reshape(rows, (-1, _BLOCK)), exchange)
        blocks = ops.split(ops.reshape(turned, (-1, _QUARTER)), _QUARTER // _BLOCK, axis=-1)
        return ops.concatenate(blocks[::-1], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], NUM_FRAMES, NUM_MELS, 1)


def _mean(spectrogram: keras.KerasTensor) -> keras.KerasTensor:
    """[batch, NUM_FRAMES, NUM_MELS, 1] -> [batch, 1, 1, 1], over each frame and then over frames.

    In one go, XNNPACK's running sum of 16,384 float32 values is off by 3e-4.
    """
    return ops.mean(ops.mean(spectrogram, axis=2, keepdims=True), axis=1, keepdims=True)


def _frames(half: keras.KerasTensor, start: int) -> keras.KerasTensor:
    """[batch, CLIP_SAMPLES / 2] -> [batch * NUM_FRAMES, _QUARTER], a frame every HOP / 2.

    A frame is longer than a hop by `rest`, which is the beginning of the next hop's row.
    """
    hop, rest = HOP // 2, _QUARTER - HOP // 2
    head = ops.reshape(half[:, start : start + NUM_FRAMES * hop], (-1, NUM_FRAMES, hop))
    last = start + NUM_FRAMES * hop
    end = ops.reshape(half[:, last : last + rest], (-1, 1, rest))
    tail = ops.concatenate([head[:, 1:, :rest], end], axis=1)
    return ops.reshape(ops.concatenate([head, tail], axis=-1), (-1, _QUARTER))


@functools.cache
def _constants() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Windowed cosines and sines [2, _QUARTER, 129], and mel filters [258, NUM_MELS].

    Bin 128 comes out of both sums; its mel weights stand in the first half, zeros in the second.
    """
    distance = np.arange(_HALF).reshape(_QUARTER, 2).T[..., np.newaxis]
    window = 0.5 + 0.5 * np.cos(2 * np.pi * distance / WINDOW_SIZE)
    angle = 2 * np.pi * distance * np.arange(FFT_SIZE // 4 + 1) / FFT_SIZE
    cosines = window * np.cos(angle)
    cosines[0, 0] /= 2  # the middle sample stands on both sides of its frame
    filters = mel_filters().T
    quarter = FFT_SIZE // 4
    high = filters[: quarter - 1 : -1].copy()  # bins 256 down to 128
    high[-1] = 0
    mel = np.concatenate([filters[: quarter + 1], high])
    return (cosines.astype(np.float32), (window * np.sin(angle)).astype(np.float32),
            mel.astype(np.float32))


def mel_filters() -> np.ndarray:
    """Slaney's mel filters, float64 [NUM_MELS, FFT_SIZE / 2 + 1], each of area 1 over frequency.

    Malcolm Slaney, Auditory Toolbox, 1998: linear below 1 kHz, logarithmic above.
    """
    edges = _mel_to_hz(np.linspace(0.0, _hz_to_mel(MAX_HZ), NUM_MELS + 2))
    bins = np.linspace(0.0, SAMPLE_RATE / 2, FFT_SIZE // 2 + 1)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - lower) / (centre - lower)
    falling = (upper - bins) / (upper - centre)
    return np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (upper - lower)


_HZ_PER_MEL = 200.0 / 3
_LOG_START_HZ = 1_000.0
_LOG_STEP = np.log(6.4) / 27


def _hz_to_mel(hz: float) -> float:
    return float(_LOG_START_HZ / _HZ_PER_MEL + np.log(hz / _LOG_START_HZ) / _LOG_STEP)


def _mel_to_hz(mel: np.ndarray) -> np.ndarray:
    start = _LOG_START_HZ / _HZ_PER_MEL
    return np.where(mel < start, mel * _HZ_PER_MEL,
                    _LOG_START_HZ * np.exp(_LOG_STEP * (np.maximum(mel, start) - start)))


class SpectrogramMasks(keras.layers.Layer):
    """Hides random stretches of time and frequency while training; nothing at inference.

    [batch, frames, mels, 1] -> the same. Park et al., SpecAugment, 2019 (arXiv 1904.08779).
    """

    def __init__(
        self, num_masks: int = 1, max_frames: int = 40, max_mels: int = 8, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self.num_masks, self.max_frames, self.max_mels = num_masks, max_frames, max_mels
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, spectrogram: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        if not training:
            return spectrogram
        frames, mels = spectrogram.shape[1:3]
        for _ in range(self.num_masks):
            spectrogram = spectrogram * self._keep(spectrogram, frames, self.max_frames)[..., None,
                                                                                         None]
            spectrogram = spectrogram * self._keep(spectrogram, mels, self.max_mels)[:, None, :,
                                                                                    None]
        return spectrogram

    def _keep(
        self, spectrogram: keras.KerasTensor, length: int, longest: int
    ) -> keras.KerasTensor:
        """[batch, length]: 0 in one random stretch of up to `longest`, else 1."""
        shape = (ops.shape(spectrogram)[0], 1)
        width = keras.random.uniform(shape, 0, longest, seed=self.seed_generator)
        start = keras.random.uniform(shape, 0, 1, seed=self.seed_generator) * (length - width)
        place = ops.arange(length, dtype="float32")[None, :]
        hidden = ops.logical_and(place >= start, place < start + width)
        return ops.cast(ops.logical_not(hidden), spectrogram.dtype)
