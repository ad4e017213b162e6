"""Synthesised voices: a source (glottal pulses and noise) through a vocal tract (formants).

Source and filter after Fant (1960), pulses after Rosenberg (1971). A clip is a row of phones with
targets every 5 ms, smoothed into each other; the tract is a frequency response in every frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len

Array = NDArray[np.floating[Any]]
Spectra = NDArray[np.complexfloating[Any, Any]]

SAMPLE_RATE = 16_000
_HOP = 80  # samples between frames: 5 ms
_WINDOW = 2 * _HOP
_FFT = 7 * _HOP  # leaves 25 ms for the tract to ring
_HZ = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)
_DELAY = np.exp(-2j * np.pi * _HZ / SAMPLE_RATE).astype(np.complex64)  # of one sample
_HISS_GAIN = 4.0  # against pulses, so that an s is some 15 dB below a vowel

# First three formants in Hz of a neutral adult tract.
_VOWELS = [
    (290, 2250, 3000), (420, 2050, 2700), (550, 1800, 2550), (690, 1650, 2500), (760, 1250, 2550),
    (570, 900, 2500), (440, 850, 2450), (320, 850, 2350), (500, 1450, 2500), (310, 1750, 2250),
]  # fmt: skip


class Phone(NamedTuple):
    """Targets of one sound: formants in Hz, gains of voice, breath and noise, noise band in Hz."""

    seconds: float
    formants: tuple[float, float, float]
    voice: float = 0.0
    breath: float = 0.0
    noise: float = 0.0
    centre: float = 3000.0
    band: float = 1500.0
    nasal: float = 0.0


_LABIAL, _ALVEOLAR, _VELAR = (320, 900, 2300), (340, 1750, 2600), (320, 1900, 2200)
# Each consonant is one phone, or a stop's three: closure, burst and breath.
_CONSONANTS = [
    [Phone(0.09, _ALVEOLAR, noise=0.5, centre=6300, band=1300)],  # s
    [Phone(0.09, _ALVEOLAR, noise=0.55, centre=3300, band=1000)],  # sh
    [Phone(0.08, _LABIAL, noise=0.16, centre=5200, band=3500)],  # f
    [Phone(0.06, _ALVEOLAR, voice=0.35, noise=0.25, centre=6000, band=1400)],  # z
    [Phone(0.06, _LABIAL, voice=0.4, noise=0.1, centre=4500, band=3000)],  # v
    # h m, n l, r w, y
    [Phone(0.07, _VELAR, breath=0.6)], [Phone(0.07, _LABIAL, voice=0.5, nasal=1.0)],
    [Phone(0.06, _ALVEOLAR, voice=0.5, nasal=1.0)], [Phone(0.06, (360, 1200, 2700), voice=0.6)],
    [Phone(0.06, (400, 1200, 1650), voice=0.6)], [Phone(0.06, (310, 700, 2300), voice=0.6)],
    [Phone(0.05, (280, 2200, 2950), voice=0.6)],
] + [
    [Phone(0.055, place, voice=0.12 * voiced),
     Phone(0.015, place, voice=0.2 * voiced, noise=0.7 - 0.3 * voiced, centre=burst, band=900),
     Phone(0.03 - 0.02 * voiced, place, voice=0.4 * voiced, breath=0.5 - 0.4 * voiced)]
    for place, burst in ((_LABIAL, 900), (_ALVEOLAR, 4500), (_VELAR, 2000))
    for voiced in (0, 1)  # p b, t d, k g
]  # fmt: skip


def _between(low: float, high: float, count: int = 0) -> Any:
    def draw(rng: np.random.Generator) -> Any:
        return tuple(rng.uniform(low, high, count).tolist()) if count else rng.uniform(low, high)

    return field(metadata={"draw": draw})


@dataclass(frozen=True)
class Speaker:
    """What stays the same in every clip of a person."""

    octave: float = _between(0.0, 1.7)  # mean pitch above 80 Hz, in octaves
    liveliness: float = _between(1.0, 4.5)  # pitch range in semitones
    tract: float = _between(0.88, 1.2)  # formants are multiplied by this
    deviations: tuple[float, ...] = _between(0.92, 1.08, 5)  # and each of them by its own
    vowel_shifts: tuple[float, ...] = _between(0.93, 1.07, 20)  # first two formants of each vowel
    bandwidths: tuple[float, ...] = _between(0.7, 1.6, 5)
    open_quotient: float = _between(0.45, 0.8)
    speed_quotient: float = _between(1.5, 3.5)
    tilt_hz: float = _between(500, 3500)  # where the source starts to fall by 6 dB per octave
    jitter: float = _between(0.003, 0.02)
    shimmer: float = _between(0.02, 0.12)
    breath: float = _between(0.01, 0.12)
    nasality: float = _between(0.0, 0.35)
    nasal_zero: float = _between(450, 800)  # Hz
    hiss: float = _between(0.85, 1.15)  # centres of fricatives are multiplied by this
    syllable_seconds: float = _between(0.16, 0.28)

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Speaker:
        """Draw a voice, every measure uniform in its range."""
        return cls(**{entry.name: entry.metadata["draw"](rng) for entry in fields(cls)})


def speak(who: Speaker, rng: np.random.Generator) -> NDArray[np.float32]:
    """Say random syllables into a random room and microphone.

    Returns 2 to 4 s at 16 kHz, float32 [n] in -1 to 1, with pauses of 50 to 300 ms at both ends.
    """
    frames, start, trail = (int(v) for v in rng.integers((400, 10, 10), (801, 61, 61)))
    frames = next_fast_len(frames)  # transforms of a prime length take a third of the whole time
    spoken = frames - start - trail
    tracks = _tracks(_phones(who, spoken, rng), start, start + spoken, frames)
    voiced = _analyse(_source(who, tracks, rng)) * _tract(who, tracks)
    hiss = np.exp(-0.5 * ((_HZ - who.hiss * tracks["centre"]) / tracks["band"]) ** 2)
    noise = _analyse(_HISS_GAIN * rng.standard_normal(frames * _HOP))
    return _record(_overlap_add(voiced + noise * hiss * tracks["noise"]), rng)


def _phones(who: Speaker, frames: int, rng: np.random.Generator) -> list[Phone]:
    phones: list[Phone] = []
    left = frames * _HOP / SAMPLE_RATE
    while left > 0:
        syllable = list(_CONSONANTS[rng.integers(len(_CONSONANTS))]) if rng.random() < 0.85 else []
        vowel = int(rng.integers(len(_VOWELS)))
        first, second, third = _VOWELS[vowel]
        shifts = np.array(who.vowel_shifts[2 * vowel : 2 * vowel + 2]) * rng.normal(1, 0.03, 2)
        seconds = who.syllable_seconds * rng.uniform(0.7, 1.4)
        seconds = max(seconds - 0.7 * sum(phone.seconds for phone in syllable), 0.06)
        formants = (first * shifts[0], second * shifts[1], float(third))
        syllable.append(Phone(seconds, formants, rng.uniform(0.7, 1.0), nasal=who.nasality))
        if rng.random() < 0.08:  # a short breath between words
            syllable.append(Phone(rng.uniform(0.05, 0.15), formants))
        phones += syllable
        left -= sum(phone.seconds for phone in syllable)
    return phones


def _tracks(phones: list[Phone], start: int, end: int, frames: int) -> dict[str, Array]:
    """Spread targets over frames and smooth them; each track is [frames, 1] or [frames, 3]."""
    ends = start + np.cumsum([phone.seconds for phone in phones]) * SAMPLE_RATE / _HOP
    index = np.searchsorted(ends, np.arange(frames), side="right")
    silent = (np.arange(frames) < start) | (np.arange(frames) >= end)
    index = np.minimum(index, len(phones) - 1)
    tracks: dict[str, Array] = {}
    for name in ("formants", "nasal", "voice", "breath", "noise", "centre", "band"):
        smooth = {"formants": 15, "nasal": 5, "voice": 5}.get(name, 3)  # frames
        targets = np.array([getattr(phone, name) for phone in phones], float)
        values = targets[index].reshape(frames, -1)
        if name in ("voice", "breath", "noise"):
            values[silent] = 0
        kernel = np.hanning(smooth + 2)[1:-1]
        padded = np.pad(values, ((smooth // 2, smooth // 2), (0, 0)), "edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, smooth, 0)
        tracks[name] = windows @ (kernel / kernel.sum())
    return tracks


def _pitch(who: Speaker, frames: int, rng: np.random.Generator) -> Array:
    """Fundamental frequency in Hz of every frame: declination, accents and the mood of the day."""
    time = np.arange(frames) * _HOP / SAMPLE_RATE
    contour = 0.4 - rng.uniform(0.1, 0.5) * time
    for accent in rng.uniform(0, time[-1], int(2 * time[-1])):
        bump = np.exp(-0.5 * ((time - accent) / rng.uniform(0.06, 0.2)) ** 2)
        contour = contour + rng.uniform(-0.4, 1.0) * bump
    semitones = who.liveliness * contour + rng.normal(0, 0.8)
    return 80 * 2 ** (who.octave + semitones / 12)


def _source(who: Speaker, tracks: dict[str, Array], rng: np.random.Generator) -> Array:
    """Derivative of the flow through the glottis, with breath noise; [frames * 80] samples."""
    frames = np.arange(len(tracks["voice"]))
    count = len(frames) * _HOP
    # Twice the rate, because closing glottides alias.
    at = np.arange(2 * count) / (2 * _HOP)
    step = np.interp(at, frames, _pitch(who, len(frames), rng)) / (2 * SAMPLE_RATE)
    cycle = np.cumsum(step).astype(int)
    cycles = np.cumsum(step * rng.normal(1, who.jitter, cycle[-1] + 1)[cycle])
    phase = cycles - (cycle := cycles.astype(int))
    opening = who.open_quotient * who.speed_quotient / (1 + who.speed_quotient)
    closing = who.open_quotient - opening
    falling = np.clip((phase - opening) / closing, 0, 1) * np.pi / 2
    rise = 0.5 * np.pi / opening * np.sin(np.pi * phase / opening)
    pulse = np.where(phase < opening, rise, -0.5 * np.pi / closing * np.sin(falling))
    pulse[phase >= who.open_quotient] = 0
    pulse *= rng.normal(1, who.shimmer, cycle[-1] + 1)[cycle]
    hz = np.fft.rfftfreq(2 * count, 0.5 / SAMPLE_RATE)[: count + 1]
    # [2n samples] -> [n samples]: drop the upper half of the spectrum.
    voiced = np.fft.rfft(pulse)[: count + 1] / (1 + 1j * hz / who.tilt_hz)
    voiced = np.fft.irfft(voiced[: count // 2 + 1], count) / 2
    voice = np.interp(at[::2], frames, tracks["voice"][:, 0])
    breath = np.interp(at[::2], frames, tracks["breath"][:, 0])
    breath += voice * who.breath * np.where(phase[::2] < who.open_quotient, 1.0, 0.3)
    return voice * voiced + breath * rng.standard_normal(count)


def _resonance(hz: Array | float, bandwidth: Array | float) -> Spectra:
    """Denominator of digital resonators, 1 at 0 Hz: hz [frames, 1] -> [frames, bins]."""
    radius = np.exp(-np.pi * np.asarray(bandwidth) / SAMPLE_RATE)
    first = -2 * radius * np.cos(2 * np.pi * np.asarray(hz) / SAMPLE_RATE)
    total = 1 + first + radius**2
    a, b, c = (np.asarray(v / total, np.float32) for v in (1, first, radius**2))
    return np.asarray(a + b * _DELAY + c * _DELAY**2)


def _tract(who: Speaker, tracks: dict[str, Array]) -> Spectra:
    """Frequency response of the vocal tract in every frame; complex [frames, bins]."""
    frames = len(tracks["formants"])
    upper = np.broadcast_to([3500.0, 4500.0], (frames, 2))
    formants = np.concatenate([tracks["formants"], upper], 1) * who.tract * np.array(who.deviations)
    bandwidths = np.array([60, 90, 140, 200, 280]) * np.array(who.bandwidths)
    poles = _resonance(260 * who.tract, 100)
    for hz in np.arange(5500, 7600 / who.tract, 1000):
        poles = poles * _resonance(hz * who.tract, 400)
    for index in range(5):
        poles = poles * _resonance(formants[:, index, None], bandwidths[index])
    zero = who.tract * (260 + tracks["nasal"] * (who.nasal_zero - 260))
    return _resonance(zero, 100) / poles


def _analyse(samples: Array) -> Spectra:
    """Spectra of 10 ms windows every 5 ms: samples [frames * 80] -> complex [frames, bins]."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(samples, (0, _HOP)), _WINDOW)[::_HOP]
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)
    return np.fft.rfft((windows * taper).astype(np.float32), _FFT, axis=1)


def _overlap_add(spectra: Spectra) -> Array:
    # [frames, 7 * 80] -> [frames, 7, 80]; the piece k of a frame falls into the frame k later.
    pieces = np.fft.irfft(spectra, _FFT, axis=1).reshape(len(spectra), -1, _HOP)
    out = np.zeros((len(spectra) + pieces.shape[1], _HOP))
    for later in range(pieces.shape[1]):
        out[later : later + len(spectra)] += pieces[:, later]
    return out[: len(spectra)].ravel()


def _record(speech: Array, rng: np.random.Generator) -> NDArray[np.float32]:
    """Put speech into a small room, through a microphone, over background noise."""
    tail = rng.standard_normal(SAMPLE_RATE // 4)
    tail *= np.exp(-np.arange(len(tail)) / (SAMPLE_RATE * rng.uniform(0.02, 0.08)))
    tail *= 10 ** (rng.uniform(-24, -10) / 20) / np.linalg.norm(tail)
    tail[0] = 1
    total = next_fast_len(len(speech) + len(tail))
    hz = np.fft.rfftfreq(total, 1 / SAMPLE_RATE)
    octaves = np.log2(np.maximum(hz, 100) / 1000)
    channel = 10 ** (rng.uniform(-2.5, 2.5) * octaves / 20)
    channel /= 1 + (rng.uniform(40, 140) / np.maximum(hz, 1)) ** 4
    heard = np.fft.irfft(np.fft.rfft(speech, total) * np.fft.rfft(tail, total) * channel, total)
    colour = 10 ** (rng.uniform(-6, 0) * octaves / 20)
    floor = np.fft.irfft(np.fft.rfft(rng.standard_normal(total)) * colour, total)
    heard /= heard.std()
    clip = (heard + floor / floor.std() * 10 ** (-rng.uniform(25, 45) / 20))[: len(speech)]
    level: float = min(10 ** (rng.uniform(-30, -18) / 20), 0.9 / np.abs(clip).max())
    return np.asarray(level * clip, np.float32)
