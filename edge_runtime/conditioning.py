"""Sound is conditioned before it is judged: one channel of several, and no constant in it.

The rule, the same for files and for live microphones (the phone's `sound.js` has the constant's):

- A constant is taken off: the mean of a clip. Cheap microphones add one, nobody hears it, and it
  upsets the level, the noise, overload and the search for speech.
- A channel under a hundredth of the loudest one's power is dead and does not count.
- The others are averaged, unless they cancel: where the mean has less than half of the power that
  independent channels would leave it, one is inverted or late, and the loudest alone is taken.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Sound = npt.NDArray[np.float32]
Power = npt.NDArray[np.float64]

_NO_CONSTANT = 1e-6  # of full scale: what rounding leaves of one
_DEAD = 0.01  # of the loudest channel's power, -20 dB
_CANCELLED = 0.5  # of what independent channels leave


def centred(sound: Sound) -> Sound:
    """float32 [samples] without its mean; the same where that has been taken off already."""
    constant = np.float32(np.mean(sound, dtype=np.float64)) if sound.size else np.float32(0)
    return sound if abs(constant) < _NO_CONSTANT else sound - constant


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
