"""From a sound file to the voice network's input: reading, conditioning, resampling, the window.

The rule of the window (`speech_window`) is written here once for Python; the browser's copy is held
to it by golden vectors.

Conditioning is the same for files and for live microphones (the phone's `sound.js` takes off the
constant likewise):

- A constant is taken off: the mean of a clip. Cheap microphones add one, nobody hears it, and it
  upsets the level, the noise, overload and the search for speech.
- A channel under a hundredth of the loudest one's power is dead and does not count.
- The others are averaged, unless they cancel: where the mean has less than half of the power that
  independent channels would leave it, one is inverted or late, and the loudest alone is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from edge_runtime.errors import InputError
from edge_runtime.signals.picture_format import is_sound
from edge_runtime.signals.sound_file import SoundFile

SAMPLE_RATE = 16_000  # Hz
HOP = 160  # samples, 10 ms
CLIP_SAMPLES = 41_312  # 2.58 s: 256 frames of 512 samples every HOP
MAX_SECONDS = 600.0  # of one clip; more is a recording to be cut first
MAX_SAMPLES = 240_000_000  # of all channels, which take time: ten minutes of eight at 48 kHz
SILENT_RMS = 1e-4  # -80 dB of full scale: below any microphone's own noise


def read_clip(path: Path, seconds: float | None = None) -> Sound:
    """Read a sound file in a format of `formats`, as mono at SAMPLE_RATE, conditioned.

    Returns float32 [samples] in -1 to 1; only the first `seconds` where given. Raises InputError if
    the file is missing, empty, no sound, damaged, silent, or longer than MAX_SECONDS.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such sound file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty (0 bytes), expected a sound file")
    if path.suffix.lower() == ".raw":
        raise InputError(f"{path}: expected a sound file that names its rate (WAV, FLAC, Ogg, "
                         "...), found raw samples; convert it first")
    try:
        with path.open("rb") as file:
            return decode_clip(file, str(path), seconds)
    except OSError as error:
        raise InputError(f"{path}: expected a sound file that can be read ({error.strerror})"
                         ) from None


def decode_clip(file: BinaryIO, name: str, seconds: float | None = None) -> Sound:
    """The same of an open file; `name` is what messages call it.

    A file of several channels is read twice: only all of it tells which of them count.
    """
    weights = np.ones(1, np.float32)
    with SoundFile(file, name) as clip:
        if clip.channels > 1:
            power = ChannelPower(clip.rate)
            for block in _limited(clip, name, seconds):
                weights = channel_weights(power.add(block))
    with SoundFile(file, name) as clip:
        resampler = Resampling(clip.rate)
        parts = [resampler.chunk(block @ weights) for block in _limited(clip, name, seconds)]
        parts.append(resampler.rest())
    return _usable(name, np.concatenate(parts))


def _limited(clip: SoundFile, name: str, seconds: float | None) -> Iterator[Sound]:
    """The clip's blocks [samples, channels], the first `seconds` of them where given."""
    most_s = min(MAX_SECONDS, MAX_SAMPLES / (clip.rate * clip.channels))
    left = round((most_s if seconds is None else min(seconds, most_s)) * clip.rate)
    for block in clip.blocks():
        if len(block) > left and (seconds is None or seconds > most_s):
            kind = "" if most_s == MAX_SECONDS else (
                f" of {clip.channels} channels of {clip.rate} Hz")
            raise InputError(f"{name}: the clip lasts over {most_s:.0f} s, at most as much is "
                             f"read{kind}; cut out the speech first")
        yield block[:left]
        left -= len(block)
        if left <= 0 and seconds is not None:
            return


def _usable(name: str, sound: Sound) -> Sound:
    if sound.size == 0:
        raise InputError(f"{name}: the clip holds no samples; record it again")
    if not np.isfinite(sound).all():
        raise InputError(f"{name}: the clip holds values that are not numbers; record it again")
    sound = centred(sound)
    if np.sqrt(np.mean(np.square(sound))) < SILENT_RMS:
        raise InputError(f"{name}: the clip is silent; check the microphone and record it again")
    return sound / max(1.0, float(np.max(np.abs(sound))))  # files of floats may go beyond 1


class Resampling:
    """A stream of mono sound at `rate` Hz -> at SAMPLE_RATE, by soxr, which holds some back."""

    def __init__(self, rate: int) -> None:
        self._stream = None
        if rate != SAMPLE_RATE:
            import soxr

            self._stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")

    def chunk(self, sound: Sound, *, last: bool = False) -> Sound:
        """float32 [samples] each; `last` gives what was held back, too."""
        if self._stream is None:
            return sound
        return np.asarray(self._stream.resample_chunk(sound, last=last), np.float32)

    def rest(self) -> Sound:
        """What was held back, at the end."""
        return self.chunk(np.empty(0, np.float32), last=True)


def resample(sound: Sound, rate: int) -> Sound:
    """float32 [samples] at `rate` Hz -> float32 [samples] at SAMPLE_RATE, by soxr."""
    if rate == SAMPLE_RATE:
        return sound
    import soxr

    return np.asarray(soxr.resample(sound, rate, SAMPLE_RATE), dtype=np.float32)


def speech_window(sound: Sound, length: int = CLIP_SAMPLES) -> Sound:
    """The `length` samples that go into the network: float32 [samples] -> float32 [length].

    A shorter clip is repeated from its start. Of a longer one, the window with the most speech is
    taken: loudness is the RMS of each hop of HOP samples, capped at its own 90th percentile (the
    value at index floor(0.9 * (hops - 1)) of the sorted ones) so that a knock does not outweigh a
    sentence; the window starts at the first multiple of HOP where the sum over its hops is largest.
    """
    if sound.size <= length:
        return np.resize(sound, length).astype(np.float32)
    hops = sound.size // HOP
    blocks = sound[: hops * HOP].astype(np.float64).reshape(hops, HOP)
    loudness = np.sqrt(np.mean(np.square(blocks), axis=1))
    cap = np.sort(loudness)[int(0.9 * (hops - 1))]
    total = np.concatenate([[0.0], np.cumsum(np.minimum(loudness, cap))])
    starts = (sound.size - length) // HOP + 1
    window_hops = length // HOP
    sums = total[window_hops : window_hops + starts] - total[:starts]
    # Sums of equal loudness differ in their last digits by rounding: take the first one within it.
    start = int(np.argmax(sums >= sums.max() * (1 - 1e-9))) * HOP
    return np.ascontiguousarray(sound[start : start + length], dtype=np.float32)


def voice_input(sound: Sound) -> Sound:
    """float32 [samples] at SAMPLE_RATE -> the network's input, float32 [1, CLIP_SAMPLES]."""
    return speech_window(sound)[np.newaxis]


def mix_noise(sound: Sound, noise: Sound, snr_db: float, rng: np.random.Generator) -> Sound:
    """Add a random stretch of `noise` at `snr_db` below the clip's own mean power.

    Both float32 [samples] at SAMPLE_RATE. Noise shorter than the clip is repeated. The sum is
    scaled down where it would clip, which leaves the ratio as it is.
    """
    start = int(rng.integers(noise.size))
    stretch = np.take(noise, np.arange(start, start + sound.size), mode="wrap")
    power = float(np.mean(np.square(sound))) / 10 ** (snr_db / 10)
    scale = np.sqrt(power / max(float(np.mean(np.square(stretch))), 1e-12))
    mixed = sound + scale * stretch
    return np.asarray(mixed / max(1.0, float(np.max(np.abs(mixed)))), dtype=np.float32)


def pink_noise(rng: np.random.Generator, seconds: float = 30.0) -> Sound:
    """Noise with the same power in every octave, as of rooms and traffic; float32 [samples] at
    SAMPLE_RATE, RMS of a tenth of full scale."""
    count = int(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum[1:] /= np.sqrt(np.arange(1, spectrum.size))
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(0.1 * noise / noise.std(), np.float32)


def read_noises(folder: Path) -> list[Sound]:
    """Every sound file of a folder, sorted by name. Raises InputError where there is none."""
    files = (sorted(path for path in folder.glob("[!.]*") if is_sound(path))
             if folder.is_dir() else [])
    if not files:
        raise InputError(f"{folder}: expected a folder with sound files of noise, found none")
    return [read_clip(path) for path in files]


Sound = npt.NDArray[np.float32]
Power = npt.NDArray[np.float64]

NO_CONSTANT = 1e-6  # of full scale: what rounding leaves of one
_DEAD = 0.01  # of the loudest channel's power, -20 dB
_CANCELLED = 0.5  # of what independent channels leave


def centred(sound: Sound) -> Sound:
    """float32 [samples] without its mean; the same where that has been taken off already."""
    constant = np.float32(np.mean(sound, dtype=np.float64)) if sound.size else np.float32(0)
    return sound if abs(constant) < NO_CONSTANT else sound - constant


class ChannelPower:
    """What channels have in common, from block to block: float64 [channels, channels], the sums of
    their products without each block's mean. kept: of what was before, with each second."""

    def __init__(self, rate: int, kept: float = 1.0) -> None:
        self._rate, self._kept = rate, kept
        self._power: Power | None = None

    def add(self, block: Sound) -> Power:
        """block: float32 [samples, channels]. Returns the sums with it."""
        varying = block - block.mean(axis=0, keepdims=True) if len(block) else block
        power = (varying.T @ varying).astype(np.float64)
        if self._power is not None:
            power += self._power * self._kept ** (len(block) / self._rate)
        self._power = power
        return power


def channel_weights(power: Power) -> Sound:
    """How much of each channel goes into the mono sound, float32 [channels], by `ChannelPower`."""
    level = np.diag(power)
    if not np.isfinite(power).all():  # a clip of no numbers, which is refused later
        return np.full(level.size, 1 / level.size, np.float32)
    loudest = int(np.argmax(level))
    counted = level >= _DEAD * level[loudest]
    weights = counted / counted.sum()
    if weights @ power @ weights < _CANCELLED * float(weights**2 @ level):
        weights = np.eye(level.size)[loudest]
    return np.asarray(weights, np.float32)


class Mixer:
    """A stream of several channels as mono. The weights follow the last seconds, and change in the
    course of a block, without a click."""

    _KEPT = 0.3  # of what is known of the channels, with each second

    def __init__(self, rate: int) -> None:
        self._power = ChannelPower(rate, self._KEPT)
        self._weights: Sound | None = None

    def mono(self, block: Sound) -> Sound:
        """float32 [samples, channels] -> float32 [samples]."""
        if block.shape[1] == 1:
            return np.ascontiguousarray(block[:, 0])
        before, weights = self._weights, channel_weights(self._power.add(block))
        self._weights = weights
        if before is None or np.array_equal(before, weights):
            return block @ weights
        later = np.linspace(0, 1, len(block), dtype=np.float32)[:, np.newaxis]
        moving = before + later * (weights - before)
        return np.asarray(np.einsum("sc,sc->s", block, moving), np.float32)
