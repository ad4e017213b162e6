"""From files or arrays to the networks' inputs, with what is wrong with them and how long each
stage took.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from edge_runtime.bundle.manifest import Inputs
from edge_runtime.errors import InputError
from edge_runtime.modalities import Modality
from edge_runtime.signals.detection import Box, Detector, Picture, face_crop
from edge_runtime.signals.face import face_input, from_pillow, read_face, read_picture, square_face
from edge_runtime.signals.face_quality import (
    Flaw,
    face_quality,
    may_contradict,
    refusals,
    usable_face,
)
from edge_runtime.signals.voice import SAMPLE_RATE, Sound, centred, read_clip, voice_input
from edge_runtime.signals.voice_quality import can_judge_voices, voice_quality

_LOUDEST = 2.0  # resampling goes beyond 1; whole numbers that nobody scaled lie far beyond

Face: TypeAlias = str | Path | Picture | Image.Image
"""A file, RGB as uint8 [height, width, 3], or a picture that Pillow has opened."""
Voice: TypeAlias = str | Path | Sound
"""A file, or mono sound as float32 [samples] in -1 to 1 at SAMPLE_RATE."""
Quality = dict[Modality, tuple[Flaw, ...] | None]


class InputReader:
    """Makes a bundle's inputs, and notes how long that takes.

    arrays: the networks' inputs by name, float32, batch 1. quality: the flaws of what was given;
    None for a voice where webrtcvad, which is not in the base install, is missing. box: the largest
    face of a whole picture, good enough or not.
    """

    def __init__(self, contract: Inputs, clock: Stages) -> None:
        self.arrays: dict[Modality, npt.NDArray[np.float32]] = {}
        self.quality: Quality = {}
        self.box: Box | None = None
        self._contract, self._clock = contract, clock

    def face(self, face: Face) -> None:
        """A crop of a face; a file that holds a whole photograph is refused."""
        if self._contract.face is None:
            return
        with self._clock.stage("read_face"):
            crop = (read_face(Path(face)) if isinstance(face, str | Path)
                    else checked_picture(face))
            self.arrays["face"] = face_input(square_face(crop, self._contract.face.size))
        with self._clock.stage("quality"):
            self.quality["face"] = face_quality(crop)

    def picture(self, picture: Face, detector: Detector) -> None:
        """A whole picture, whose largest face is used if it is good enough."""
        if self._contract.face is None:
            return
        with self._clock.stage("read_picture"):
            whole = (read_picture(Path(picture)) if isinstance(picture, str | Path)
                     else checked_picture(picture))
        with self._clock.stage("detect"):
            boxes = detector.detect(whole)
        self.box = boxes[0] if boxes else None
        with self._clock.stage("quality"):
            box, self.quality["face"] = usable_face(whole, boxes)
        if box is not None:
            with self._clock.stage("crop"):
                crop = square_face(face_crop(whole, box), self._contract.face.size)
                self.arrays["face"] = face_input(crop)

    def voice(self, voice: Voice) -> None:
        """A clip."""
        if self._contract.voice is None:
            return
        with self._clock.stage("read_voice"):
            sound = (read_clip(Path(voice)) if isinstance(voice, str | Path)
                     else centred(checked_sound(voice)))
            self.arrays["voice"] = voice_input(sound)
        with self._clock.stage("quality"):
            self.quality["voice"] = voice_quality(sound) if can_judge_voices() else None

    @property
    def doubtful(self) -> set[Modality]:
        """What may not contradict the other modality."""
        return {m for m, flaws in self.quality.items() if not may_contradict(flaws or ())}

    def leave_out_refused(self) -> None:
        """What is not good enough counts only where there is nothing better to decide by."""
        good = {name: array for name, array in self.arrays.items()
                if not refusals(self.quality.get(name) or ())}
        self.arrays = good or self.arrays

    def refuse_face(self, picture: Face | None) -> None:
        """InputError with the reasons, where the picture's face was left out."""
        refused = refusals(self.quality.get("face") or ())
        if picture is not None and refused:
            name = f"{picture}" if isinstance(picture, str | Path) else "the picture"
            raise InputError(f"{name}: {'; '.join(flaw.message for flaw in refused)}")


def checked_picture(picture: object) -> Picture:
    """InputError unless it is an array as pictures are; an array of another kind would be judged
    without a word."""
    if (isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.ndim == 3
            and picture.shape[2] == 3 and picture.size):
        return picture
    if isinstance(picture, Image.Image):
        return from_pillow(picture)
    raise InputError("expected a picture as a path, as one of Pillow's, or as RGB, uint8 [height, "
                     f"width, 3], found {_kind(picture)}; convert it first")


def checked_sound(sound: object) -> Sound:
    """The same for a clip."""
    if (isinstance(sound, np.ndarray) and sound.dtype == np.float32 and sound.ndim == 1
            and sound.size and float(np.abs(sound).max()) <= _LOUDEST):  # which no NaN is
        return sound
    raise InputError("expected a clip as a path, or as mono, float32 [samples] in -1 to 1 at "
                     f"{SAMPLE_RATE} Hz, found {_kind(sound)}; convert it first")


def _kind(found: object) -> str:
    if not isinstance(found, np.ndarray):
        return type(found).__name__
    kind = f"{found.dtype} {list(found.shape)}"
    if found.dtype.kind == "f" and found.size:
        kind += f" from {found.min():g} to {found.max():g}"
    return kind


class Stages:
    """Milliseconds of named stages, in the order in which they first ran."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add what the block takes to the stage."""
        start = time.perf_counter()
        yield
        self.ms[name] = self.ms.get(name, 0.0) + 1e3 * (time.perf_counter() - start)
