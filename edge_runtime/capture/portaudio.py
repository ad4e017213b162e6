"""Microphones by sounddevice (PortAudio), at the device's own rate."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import functools
import queue
import threading
import time
from collections.abc import Generator
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.capture.microphone import Clip, Resampler
from edge_runtime.capture.source import DeviceError, Produce, device_error

_RATES = (48_000, 44_100, 16_000, 32_000, 96_000, 8_000)  # tried after the device's own, Hz
_WRONG_RATE, _WRONG_CHANNELS = -9997, -9998  # of PaErrorCode
_QUIET_S = 2.0  # then the device is opened again
_BLOCK_S = 0.05

Block = tuple[npt.NDArray[np.float32], float]  # [samples, channels], when it came

# PortAudio knows the devices of the moment when it was initialised, and forgetting them closes all
# streams: it is done anew only while none is open.
_devices = threading.Lock()
_open_streams = 0


def import_sounddevice() -> Any:
    """The module sounddevice. Raises DeviceError where it or PortAudio is missing."""
    _silence_alsa()
    try:
        import sounddevice
    except ImportError as error:
        raise DeviceError("failed", f"sounddevice does not import ({error}); pip install "
                                    "'visavox[capture]'") from None
    except OSError as error:
        raise DeviceError("failed", f"{error}; apt install libportaudio2") from None
    return sounddevice


@functools.cache
def _silence_alsa() -> Any:
    """Keep ALSA from writing a page about every device that it does not find.

    Returns the handler, which must live as long as the process.
    """
    library = ctypes.util.find_library("asound")
    if library is None:
        return None
    handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int,
                               ctypes.c_char_p)(lambda *_: None)
    ctypes.CDLL(library).snd_lib_error_set_handler(handler)
    return handler


def input_devices() -> list[dict[str, Any]]:
    """What sounddevice tells of each device that records, as of now, the default one first."""
    sounddevice = import_sounddevice()
    with _devices:
        _refresh(sounddevice)
        default = sounddevice.default.device[0]
        found = [dict(device) for device in sounddevice.query_devices()
                 if device["max_input_channels"] > 0]
    return sorted(found, key=lambda device: bool(device["index"] != default))


def _refresh(sounddevice: Any) -> None:
    """To be called with the lock held."""
    if not _open_streams:
        with contextlib.suppress(sounddevice.PortAudioError):  # it was not initialised
            sounddevice._terminate()
        try:
            sounddevice._initialize()
        except sounddevice.PortAudioError as error:
            raise device_error("PortAudio", str(error.args[0])) from None


def takes_rate(device: int | str | None, rate: int) -> tuple[bool, int]:
    """Whether a microphone can be opened at `rate`, and the one at which it is, both in Hz.

    Raises DeviceError where there is no such microphone, or another program has it.
    """
    sounddevice = import_sounddevice()
    name = "microphone" if device is None else f"microphone {device}"
    with _devices:
        _refresh(sounddevice)
        found = _find(sounddevice, name, device)
        own_rate = 0
        try:
            own_rate, channels = _settings(sounddevice, found)
            sounddevice.check_input_settings(found["index"], channels, "float32", samplerate=rate)
        except sounddevice.PortAudioError as error:
            if not own_rate or error.args[1:2] != (_WRONG_RATE,):
                raise device_error(name, str(error.args[0])) from None
            return False, own_rate
    return True, own_rate


def portaudio_clips(device: int | str | None) -> Produce[Clip]:
    """A microphone by its number or a part of its name; None: the system's default."""
    name = "microphone" if device is None else f"microphone {device}"

    def clips(stop: threading.Event) -> Generator[Clip, None, None]:
        blocks: queue.SimpleQueue[Block] = queue.SimpleQueue()

        def keep(block: npt.NDArray[np.float32], frames: int, at: Any, status: Any) -> None:
            blocks.put((block.copy(), time.monotonic()))

        stream = _open(name, device, keep)
        try:
            resampler = Resampler(round(stream.samplerate))
            while not stop.is_set():
                try:
                    block, end_s = blocks.get(timeout=_QUIET_S)
                except queue.Empty:
                    raise device_error(name, "it gives no more sound") from None
                yield resampler.clip(block, end_s)
        finally:
            _close(stream)

    return clips


def _open(name: str, device: int | str | None, callback: Any) -> Any:
    """A running stream at the first rate and number of channels that the device takes."""
    global _open_streams
    sounddevice = import_sounddevice()
    with _devices:
        _refresh(sounddevice)
        found = _find(sounddevice, name, device)
        try:
            rate, channels = _settings(sounddevice, found)
            stream = sounddevice.InputStream(
                rate, round(_BLOCK_S * rate), found["index"], channels, "float32",
                callback=callback)
            try:
                stream.start()
            except sounddevice.PortAudioError:
                stream.close(ignore_errors=True)
                raise
        except sounddevice.PortAudioError as error:
            raise device_error(name, str(error.args[0])) from None
        _open_streams += 1
    return stream


def _find(sounddevice: Any, name: str, device: int | str | None) -> dict[str, Any]:
    try:
        return dict(sounddevice.query_devices(device, "input"))
    except (sounddevice.PortAudioError, ValueError) as error:
        if str(error).startswith("Multiple"):
            raise DeviceError("missing", f"{name}: several devices have that in their name; give "
                                         "the number that 'visavox devices' shows") from None
        which = "" if device is None else " of that number or name"
        raise device_error(name, f"no device{which} records") from None


def _settings(sounddevice: Any, found: dict[str, Any]) -> tuple[int, int]:
    """Rate and channels. Devices without a converter take their own number of channels only."""
    last: Exception | None = None
    most = found["max_input_channels"]
    for rate in (round(found["default_samplerate"]), *_RATES):
        for channels in sorted({1, min(2, most), most}):
            try:
                sounddevice.check_input_settings(found["index"], channels, "float32",
                                                 samplerate=rate)
            except sounddevice.PortAudioError as error:
                if error.args[1:2] not in ((_WRONG_RATE,), (_WRONG_CHANNELS,)):
                    raise
                last = last or error
            else:
                return rate, channels
    assert last is not None
    raise last


def _close(stream: Any) -> None:
    global _open_streams
    with _devices:
        stream.close(ignore_errors=True)
        _open_streams -= 1
