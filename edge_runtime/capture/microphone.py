"""A microphone: the last seconds of sound at 16 kHz, and how the microphone is."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

import numpy as np

from edge_runtime.capture.source import STALE_S, Produce, Source
from edge_runtime.capture.status import SAID_WITHIN_S, Status
from edge_runtime.conditioning import Mixer, centred
from edge_runtime.voice import SAMPLE_RATE, SILENT_RMS, Resampling, Sound

KEPT_SECONDS = 15.0


@dataclass(frozen=True, eq=False)
class Clip:
    """sound: mono, float32 [samples] at 16 kHz in -1 to 1. end_s: when the last sample was heard,
    as time.monotonic()."""

    sound: Sound
    end_s: float

    @property
    def start_s(self) -> float:
        """When the first sample was heard."""
        return self.end_s - self.sound.size / SAMPLE_RATE


class Microphone(Source[Clip]):
    """Keeps the last KEPT_SECONDS of sound since the device was opened."""

    def __init__(self, name: str, produce: Produce[Clip]) -> None:
        super().__init__(name, produce)
        self._clips: deque[Clip] = deque()
        self._samples = 0  # in all of _clips
        self._silent_samples = 0  # since the last one that was not

    def last(
        self, seconds: float, timeout_s: float, newer_than: Clip | None = None
    ) -> Clip | None:
        """The last `seconds` of sound, without a constant, which ended at most STALE_S ago.

        Waits for as much, and for it to end later than `newer_than`, for at most `timeout_s`; then
        returns what there is, which may be shorter, or None where there is nothing (newer).
        """
        wanted = round(min(seconds, KEPT_SECONDS) * SAMPLE_RATE)

        def newer() -> bool:
            return (bool(self._clips) and time.monotonic() - self._clips[-1].end_s <= STALE_S
                    and (newer_than is None or self._clips[-1].end_s > newer_than.end_s))

        with self._changed:
            self._wait_for(lambda: newer() and self._samples >= wanted, timeout_s)
            if not newer():
                return None
            sound = np.concatenate([clip.sound for clip in self._clips])
            return Clip(centred(sound[max(sound.size - wanted, 0):]), self._clips[-1].end_s)

    def _take(self, item: Clip) -> None:
        rms = float(np.std(item.sound)) if item.sound.size else 0.0
        with self._changed:
            self._clips.append(item)
            self._samples += item.sound.size
            while self._samples - self._clips[0].sound.size >= KEPT_SECONDS * SAMPLE_RATE:
                self._samples -= self._clips.popleft().sound.size
            self._silent_samples = 0 if rms >= SILENT_RMS else (
                self._silent_samples + item.sound.size)
            if self._silent_samples >= SAID_WITHIN_S * SAMPLE_RATE:
                self._arrived(Status("silent", f"{self.name} gives silence; switch it on, or raise "
                                               "its level (alsamixer, pavucontrol)"))
            else:
                self._arrived(Status("ok", f"{self.name} gives sound"))

    def _forget(self) -> None:
        with self._changed:
            self._clips.clear()
            self._samples = self._silent_samples = 0


class Resampler:
    """A stream of sound at a device's rate, as mono at 16 kHz."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._mixer, self._stream = Mixer(rate), Resampling(rate)
        self._in = self._out = 0  # samples so far

    def clip(self, block: Sound, end_s: float, *, last: bool = False) -> Clip:
        """float32 [samples, channels] at the device's rate, its last sample heard at `end_s`.

        The resampler holds some back, up to the `last` block; the clip's `end_s` is that of what it
        gave.
        """
        mono = self._mixer.mono(block)
        sound = np.clip(self._stream.chunk(mono, last=last), -1.0, 1.0)
        self._in += mono.size
        self._out += sound.size
        return Clip(sound, end_s - (self._in / self._rate - self._out / SAMPLE_RATE))
