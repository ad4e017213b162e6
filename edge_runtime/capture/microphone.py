"""A microphone: the last seconds of sound at 16 kHz, and how the microphone is.

By PortAudio (portaudio.py), or by ALSA's arecord through a pipe where that is missing.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from edge_runtime.capture.raspberry import output_of
from edge_runtime.capture.source import (
    SAID_WITHIN_S,
    STALE_S,
    DeviceError,
    Produce,
    Source,
    Status,
    device_error,
)
from edge_runtime.signals.voice import SAMPLE_RATE, SILENT_RMS, Mixer, Resampling, Sound, centred

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


_RATE = 48_000  # asked for; most devices have it, and the header says what they gave instead
_HEADER_BYTES = 44


def arecord_program() -> str | None:
    """The path of arecord, if this system has it."""
    return shutil.which("arecord")


def arecord_list() -> list[tuple[str, str]]:
    """(what to pass to --microphone, name) of each card that records."""
    try:
        said = subprocess.run(["arecord", "-l"], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=10, errors="replace", check=False,
                              env=os.environ | {"LC_ALL": "C"})
    except (OSError, subprocess.TimeoutExpired) as error:
        raise device_error("arecord", str(error)) from None
    return list(_cards(said.stdout))


def _cards(listing: str) -> Iterator[tuple[str, str]]:
    # "card 1: Device [USB PnP Sound Device], device 0: USB Audio [USB Audio]"
    for line in listing.splitlines():
        card, _, rest = line.partition(":")
        device = rest.partition("], device ")[2].partition(":")[0]
        if card.startswith("card ") and device.isdigit():
            name = rest.partition("[")[2].partition("]")[0]
            yield f"arecord:plughw:{card.removeprefix('card ')},{device}", name


def arecord_clips(device: str | None) -> Produce[Clip]:
    """A microphone by its ALSA name (plughw:1,0); None: the default."""
    name = f"microphone arecord:{device}" if device else "microphone arecord"

    def clips(stop: threading.Event) -> Generator[Clip, None, None]:
        if arecord_program() is None:
            raise DeviceError("failed", "arecord is not installed; apt install alsa-utils")
        command = ["arecord", "--quiet", "--file-type", "wav", "--format", "S16_LE",
                   "--rate", str(_RATE), "--channels", "1"]
        command += ["--device", device] if device else []
        data = b""
        resampler: Resampler | None = None
        channels = 1
        for chunk in output_of(command, name, stop):
            data += chunk
            if resampler is None:
                if len(data) < _HEADER_BYTES:
                    continue
                channels, rate = _header(name, data)
                resampler, data = Resampler(rate), data[_HEADER_BYTES:]
            whole = len(data) // (2 * channels) * 2 * channels
            block = np.frombuffer(data[:whole], "<i2").reshape(-1, channels)
            data = data[whole:]
            yield resampler.clip(block.astype(np.float32) / np.float32(32_768), time.monotonic())

    return clips


def _header(name: str, data: bytes) -> tuple[int, int]:
    """Channels and rate, from the header that arecord writes before the sound."""
    kind, wave, channels, rate, bits = struct.unpack_from("<4s4x4s10xHI6xH", data)
    if (kind, wave, bits) != (b"RIFF", b"WAVE", 16) or not channels or not rate:
        raise DeviceError("failed", f"{name}: expected 16-bit WAV from arecord, found something "
                                    "else; name the device as arecord:plughw:CARD,DEVICE")
    return channels, rate
