"""What training does to its examples so that the networks learn the person and not the recording.

Faces and waveforms are changed in numpy, before they reach the network; the spectrogram is made
inside the network, and masked there by a layer (SpectrogramMasks of frontend.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_runtime.signals.voice import CLIP_SAMPLES, Sound, mix_noise, speech_window

_FFT_LENGTH = 41_472  # the next product of small primes above CLIP_SAMPLES

Image = npt.NDArray[np.float32]


def augment_face(
    face: npt.NDArray[np.uint8], size: int, rng: np.random.Generator
) -> Image:
    """A random view of a face: uint8 [side, side, 3] -> float32 [size, size, 3], 0 to 255.

    Crop with scale, stretch, turn and flip in one sampling step, then light and colour, then
    erasing (Zhong et al., Random erasing data augmentation, 2017, arXiv 1708.04896).
    """
    view = _sample(face, size, _random_view(face.shape[0], size, rng))
    view = _light(view, rng)
    if rng.random() < 0.4:
        _erase(view, rng)
    return view


def _random_view(side: int, size: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """The 2x3 matrix from output pixels (x, y, 1) to input pixels."""
    scale = rng.uniform(0.84, 1.03) * side / size
    stretch = np.exp(rng.uniform(-0.05, 0.05))
    angle = np.deg2rad(rng.uniform(-8, 8))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    shift = rng.uniform(-0.05, 0.05, 2) * side
    cosine, sine = np.cos(angle), np.sin(angle)
    linear = np.array([[cosine * flip * stretch, -sine / stretch],
                       [sine * flip * stretch, cosine / stretch]]) * scale
    centre = np.full(2, (side - 1) / 2) + shift
    return np.column_stack([linear, centre - linear @ np.full(2, (size - 1) / 2)])


def _sample(
    face: npt.NDArray[np.uint8], size: int, matrix: npt.NDArray[np.float64]
) -> Image:
    """Bilinear sampling; what lies outside is the nearest edge pixel."""
    side = face.shape[0]
    grid = np.arange(size, dtype=np.float32)
    (a, b, c), (d, e, f) = matrix.astype(np.float32)
    x = np.clip(a * grid[None, :] + b * grid[:, None] + c, 0, side - 1.001).ravel()
    y = np.clip(d * grid[None, :] + e * grid[:, None] + f, 0, side - 1.001).ravel()
    left, top = x.astype(np.int32), y.astype(np.int32)
    x_rest, y_rest = (x - left)[:, None], (y - top)[:, None]
    pixels = face.reshape(-1, face.shape[-1]).astype(np.float32)
    corner = top * side + left
    upper = pixels.take(corner, 0)
    upper += (pixels.take(corner + 1, 0) - upper) * x_rest
    lower = pixels.take(corner + side, 0)
    lower += (pixels.take(corner + side + 1, 0) - lower) * x_rest
    upper += (lower - upper) * y_rest
    return upper.reshape(size, size, -1)


def _light(view: Image, rng: np.random.Generator) -> Image:
    """Gamma, a lamp from one side, contrast, brightness, saturation, colour cast."""
    ramp = np.linspace(-1, 1, view.shape[0], dtype=np.float32)
    across, down = rng.normal(0, 0.2, 2).astype(np.float32)
    gamma = np.exp(rng.normal(0, 0.15))
    saturation, contrast = np.float32(rng.uniform(0, 1.4)), np.float32(rng.uniform(0.8, 1.2))
    curve = (255 * np.linspace(1e-3, 1, 256) ** gamma).astype(np.float32)
    view = curve[view.astype(np.uint8)]
    view *= (np.exp(across * ramp[None, :]) * np.exp(down * ramp[:, None]))[..., None]
    view *= rng.normal(1, 0.04, 3).astype(np.float32)
    grey = view.sum(axis=-1, keepdims=True) / np.float32(3)
    view = grey + (view - grey) * saturation
    middle = grey.mean()
    view = (view - middle) * contrast + np.float32(middle + rng.normal(0, 12))
    view += 2 * rng.standard_normal((*view.shape[:2], 1), dtype=np.float32)
    return np.clip(view, 0, 255, out=view)


def _erase(view: Image, rng: np.random.Generator) -> None:
    size = view.shape[0]
    height, width = rng.integers(size // 8, size // 3, 2)
    top, left = rng.integers(0, size - height), rng.integers(0, size - width)
    view[top : top + height, left : left + width] = rng.uniform(0, 255, 3)


def augment_clip(
    clip: Sound, others: Sequence[Sound], noises: Sequence[Sound], rng: np.random.Generator,
    *, time_shift: bool = True,
) -> Sound:
    """A random stretch of a clip: float32 [samples] -> float32 [CLIP_SAMPLES].

    Time shift; in one of two, `others` being clips of the same person, the rest of one of them
    after a random point; in one of two, noise of 0 to 30 dB, recorded where `noises` holds some, or
    of a random colour. The network itself takes care of the level. Without `time_shift`, each clip
    is its one window, spliced with none.
    """
    if time_shift:
        clip = _shift(clip, rng)
        if others and rng.random() < 1 / 2:
            clip = _spliced(clip, _shift(others[int(rng.integers(len(others)))], rng), rng)
    else:
        clip = speech_window(clip)
    if rng.random() < 1 / 2:
        recorded = noises and rng.random() < 0.5
        noise = noises[int(rng.integers(len(noises)))] if recorded else _made_noise(rng)
        clip = mix_noise(clip, noise, rng.uniform(0, 30), rng)
    return clip


def _spliced(clip: Sound, other: Sound, rng: np.random.Generator) -> Sound:
    """The clip up to a random point, then the other at the clip's level; both [CLIP_SAMPLES]."""
    cut = rng.integers(CLIP_SAMPLES // 5, 4 * CLIP_SAMPLES // 5)
    power, other_power = (float(np.mean(np.square(sound))) for sound in (clip, other))
    rest = other[cut:] * np.sqrt(power / max(other_power, 1e-12))
    spliced = np.concatenate([clip[:cut], rest])
    return np.asarray(spliced / max(1.0, float(np.max(np.abs(spliced)))), np.float32)


def _shift(clip: Sound, rng: np.random.Generator) -> Sound:
    """A random window of a long clip; a short one is repeated from a random point."""
    if clip.size > CLIP_SAMPLES:
        start = int(rng.integers(clip.size - CLIP_SAMPLES + 1))
        return clip[start : start + CLIP_SAMPLES]
    return np.take(clip, np.arange(CLIP_SAMPLES) + rng.integers(clip.size), mode="wrap")


def _random_gain(strength: float, rng: np.random.Generator) -> Sound:
    knots = rng.normal(0, strength, 9)
    bins = _FFT_LENGTH // 2 + 1
    return np.exp(np.interp(np.linspace(0, 8, bins), np.arange(9), knots)).astype(np.float32)


def _made_noise(rng: np.random.Generator) -> Sound:
    gain = _random_gain(1.5, rng)
    parts = rng.standard_normal((2, gain.size), dtype=np.float32)
    noise = np.fft.irfft(gain * (parts[0] + 1j * parts[1]), _FFT_LENGTH)
    return noise[:CLIP_SAMPLES].astype(np.float32)
