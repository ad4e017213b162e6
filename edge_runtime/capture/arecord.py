"""Microphones by ALSA's arecord through a pipe, where PortAudio is missing."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import threading
import time
from collections.abc import Generator, Iterator

import numpy as np

from edge_runtime.capture.microphone import Clip, Resampler
from edge_runtime.capture.program import output_of
from edge_runtime.capture.source import Produce
from edge_runtime.capture.status import DeviceError, device_error

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
