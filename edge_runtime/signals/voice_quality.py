"""Gates: is this clip good enough to be judged? Enough speech, loud, undistorted, above the noise.

Refused of real clips that all are usable, and of degraded copies of a quarter of them (the first
two kinds of noise: of half of the test clips), in %:

                                                  kiosk95        people30
    as they are (1615, 390)                           0.2             0.0
    noise at 20, 10 or 5 dB, at most                  2.3             0.0
    a washing machine / a boiler / white at 0 dB 82 / 100 / 100  83 / 100 / 100
    20 / 30 / 40 dB quieter                      18 / 77 / 100    0 / 38 / 100
    peaks cut off at a half / at a quarter       91 / 100        93 / 100
    the same at 48 kHz, then resampled           79 / 69         92 / 97
    without speech: the machine / the others     98 / 100

The clips of wild95 are those of kiosk95.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.errors import UsageError
from edge_runtime.signals.face_quality import Flaw
from edge_runtime.signals.voice import SAMPLE_RATE, Sound, speech_window

MIN_SPEECH_SECONDS = 1.0
MIN_LEVEL_DB = -50.0  # of full scale, the RMS of the network's window
MIN_SNR_DB = 5.5  # refuses at 0 dB and lets pass at 5 dB, where a voice still helps a face
# Real clips have 16 dB and more. In noise at 5 dB, of people of kiosk95 whom training has not seen,
# 16 % are not named by both if a voice under 10 dB may not contradict the face, about 30 % if it
# may, and 20 % by the face alone.
QUIET_SNR_DB = 10.0
MIN_SNR_SECONDS = 0.9
MIN_PEAK_RATIO = 1.08  # of the loudest half per mille to the loudest half per cent
FRAME = SAMPLE_RATE * 30 // 1000  # samples
_AGGRESSIVENESS = 2  # of webrtcvad, 0 to 3
FAINT = 0.02  # of full scale: a sound that peaks below has too few steps to tell a cut-off peak
LEAST_POWER = 1e-12  # below it is silence, which has no level
LEVEL_S = 0.2  # of sound, whose level is shown


def voice_quality(sound: Sound) -> tuple[Flaw, ...]:
    """What is wrong with a clip: float32 [samples] at SAMPLE_RATE, finite, -1 to 1.

    No flaw: an empty tuple. Raises UsageError where webrtcvad is not installed.
    """
    flaws = []
    seconds = speech_seconds(sound)
    if seconds < MIN_SPEECH_SECONDS:
        flaws.append(Flaw("too_little_speech", f"{seconds:.1f} s of speech were heard, at least "
                                               f"{MIN_SPEECH_SECONDS:.1f} s are needed; speak on"))
    if sound.size == 0:
        return tuple(flaws)
    level = _decibels(float(np.mean(np.square(speech_window(sound), dtype=np.float64))))
    if level < MIN_LEVEL_DB:
        flaws.append(Flaw("voice_too_quiet", f"the voice is too quiet ({level:.0f} dB of full "
                                             f"scale, at least {MIN_LEVEL_DB:.0f} are needed); "
                                             "come closer, or turn the microphone up"))
    if is_clipped(sound):
        flaws.append(Flaw("voice_clipped", "the voice is distorted by overload; step back, or turn "
                                           "the microphone down"))
    snr = snr_db(sound)
    if snr is not None and snr < MIN_SNR_DB:
        flaws.append(Flaw("voice_noisy", f"the voice hardly stands out of the noise ({snr:.0f} dB, "
                                         f"at least {MIN_SNR_DB} are needed); come closer"))
    elif snr is not None and snr < QUIET_SNR_DB:
        flaws.append(Flaw("some_noise", f"there is noise behind the voice ({snr:.0f} dB), which "
                                        "counts for less; come closer", refuses=False))
    return tuple(flaws)


def can_judge_voices() -> bool:
    """Whether webrtcvad is installed; imports it."""
    try:
        _webrtcvad()
    except UsageError:
        return False
    return True


def speech_seconds(sound: Sound) -> float:
    """How much of a sound webrtcvad takes for speech."""
    detector = _webrtcvad().Vad(_AGGRESSIVENESS)
    samples = np.rint(np.clip(sound, -1, 1) * 32_767).astype("<i2")
    heard = sum(detector.is_speech(frame.tobytes(), SAMPLE_RATE) for frame in _frames(samples))
    return float(heard * FRAME / SAMPLE_RATE)


def _webrtcvad() -> Any:
    try:
        import webrtcvad
    except ImportError:
        raise UsageError("expected webrtcvad, which tells speech from noise, found none; "
                         "pip install 'visavox[capture]'") from None
    return webrtcvad


def snr_db(sound: Sound) -> float | None:
    """How far the sound stands above its own quietest tenth, which is taken for the noise.

    None for under MIN_SNR_SECONDS, in which there may be no pause. In noise, webrtcvad takes pauses
    for speech, so that its verdict is of no use here. Frames of nothing but zeros are no recording.
    """
    power = np.sort(np.mean(np.square(_frames(sound).astype(np.float64)), axis=1))
    power = power[power > LEAST_POWER]
    if power.size * FRAME < MIN_SNR_SECONDS * SAMPLE_RATE:
        return None
    noise = float(power[: power.size // 10].mean())
    return _decibels(float(power.mean()) / noise - 1)


def is_clipped(sound: Sound) -> bool:
    """Whether the loudest peaks are all about as high, as they are when something cut them off.

    That holds at any level, after resampling and lossy coding, where no sample stands at 1.
    """
    last = sound.size - 1
    places = [int(0.995 * last), int(0.9995 * last), last]
    loud, louder, loudest = np.partition(np.abs(sound), places)[places]
    return bool(loudest >= FAINT and louder < MIN_PEAK_RATIO * loud)


def _frames(sound: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """[samples] -> [frames, FRAME]; what is left over at the end is dropped."""
    count = sound.size // FRAME
    return sound[: count * FRAME].reshape(count, FRAME)


def _decibels(power: float) -> float:
    return float(10 * np.log10(max(power, LEAST_POWER)))
