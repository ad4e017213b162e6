"""Somebody in front of a camera and a microphone: faces and clips to enroll them from."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edge_runtime.capture.camera import Camera, Frame
from edge_runtime.capture.microphone import Clip, Microphone
from edge_runtime.capture.status import FINAL, Status
from edge_runtime.detect import Detector
from edge_runtime.errors import GalleryError
from edge_runtime.gallery.samples import NewSample, check_counts
from edge_runtime.gallery.search import Embeddings
from edge_runtime.identify import Identifier
from edge_runtime.inputs import InputReader
from edge_runtime.modalities import Modality
from edge_runtime.output import counted
from edge_runtime.stages import Stages
from edge_runtime.voice import CLIP_SAMPLES, SAMPLE_RATE

PERIOD_S = 0.3  # between two looks
FACE_EVERY_S = 1.0  # pictures of one moment are all alike
CLIP_S = CLIP_SAMPLES / SAMPLE_RATE
WORDS: dict[Modality, str] = {"face": "face", "voice": "clip"}


class Sitting:
    """Takes faces and clips until there are as many as wanted, each for itself.

    A picture with several faces is refused, and one that is the same as one before; clips never
    overlap. begun_s: what was heard before, as time.monotonic(), was said by somebody else.
    refused: by modality why the last one was not taken, None where it was.
    """

    def __init__(
        self, identifier: Identifier, detector: Detector, faces: int, clips: int, begun_s: float
    ) -> None:
        self.wanted: dict[Modality, int] = {"face": faces, "voice": clips}
        check_counts([modality for modality, count in self.wanted.items() for _ in range(count)])
        for modality, count in self.wanted.items():
            if count:
                identifier.check_embeds(modality)
        self.samples: list[NewSample] = []
        self.refused: dict[Modality, str | None] = {}
        self._identifier, self._detector = identifier, detector
        self._face_s, self._heard_until_s = -FACE_EVERY_S, begun_s

    def count(self, modality: Modality) -> int:
        """How many were taken."""
        return sum(sample.modality == modality for sample in self.samples)

    def wants(self, modality: Modality) -> bool:
        """Whether more are needed."""
        return self.count(modality) < self.wanted[modality]

    def see(self, frame: Frame) -> None:
        """A whole picture."""
        if not self.wants("face") or frame.at_s - self._face_s < FACE_EVERY_S:
            return
        reader = InputReader(self._identifier.manifest.inputs, Stages())
        reader.picture(frame.picture, self._detector)
        # Of several, nobody can say which one is meant.
        flaws = reader.quality["face"] or ()
        if self._take("face", reader, [flaw.message for flaw in flaws]):
            self._face_s = frame.at_s

    def hear(self, clip: Clip) -> None:
        """The last CLIP_S of sound."""
        early = clip.start_s < self._heard_until_s - 0.5 / SAMPLE_RATE  # of rounding
        if not self.wants("voice") or early or clip.sound.size < CLIP_SAMPLES:
            return
        reader = InputReader(self._identifier.manifest.inputs, Stages())
        reader.voice(clip.sound)
        flaws = reader.quality["voice"] or ()
        if self._take("voice", reader, [flaw.message for flaw in flaws if flaw.refuses]):
            self._heard_until_s = clip.end_s

    def _take(self, modality: Modality, reader: InputReader, problems: list[str]) -> bool:
        if not problems:
            embedding = self._identifier.run(reader, Stages())[modality].embedding
            if self._has(modality, embedding):
                problems = ["it is the same as one before; move a little, and speak on"]
            else:
                source = f"{WORDS[modality]} {self.count(modality) + 1}"
                self.samples.append(NewSample(source, modality, embedding))
        self.refused[modality] = "; ".join(problems) or None
        return not problems

    def _has(self, modality: Modality, embedding: Embeddings) -> bool:
        return any(sample.modality == modality and (sample.embedding == embedding).all()
                   for sample in self.samples)


@dataclass(frozen=True)
class Progress:
    """How far it is. refused: see Sitting. status: of what is still waited for, by modality."""

    faces: int
    clips: int
    refused: Mapping[Modality, str | None]
    status: Mapping[Modality, Status]


def sit(
    sitting: Sitting, camera: Camera | None, microphone: Microphone | None, seconds: float
) -> Iterator[Progress]:
    """A look each PERIOD_S, until the sitting has all that it wants.

    Raises GalleryError where that is not so after `seconds`, or nothing more can come.
    """
    begin_s = time.monotonic()
    frame: Frame | None = None
    clip: Clip | None = None
    while True:
        look_s = time.monotonic()
        if camera and sitting.wants("face") and (newer := camera.latest(PERIOD_S, frame)):
            frame = newer
            sitting.see(frame)
        if microphone and sitting.wants("voice") and (
                heard := microphone.last(CLIP_S, 0.0, clip)):
            clip = heard
            sitting.hear(clip)
        status: dict[Modality, Status] = {}
        if camera and sitting.wants("face"):
            status["face"] = camera.status
        if microphone and sitting.wants("voice"):
            status["voice"] = microphone.status
        yield Progress(sitting.count("face"), sitting.count("voice"), dict(sitting.refused), status)
        if not status:
            return
        if look_s - begin_s > seconds or any(now.state in FINAL for now in status.values()):
            raise GalleryError(_too_few(sitting, status))
        time.sleep(max(0.0, PERIOD_S - (time.monotonic() - look_s)))


def _too_few(sitting: Sitting, status: Mapping[Modality, Status]) -> str:
    reasons = [(now.state == "ok" and sitting.refused.get(modality)) or now.message
               for modality, now in status.items()]
    wanted = [counted(sitting.wanted[m], word) for m, word in WORDS.items()]
    found = [counted(sitting.count(m), word) for m, word in WORDS.items()]
    return (f"expected {' and '.join(wanted)}, found {' and '.join(found)} ({'; '.join(reasons)}); "
            "nobody is enrolled: do it again, or want fewer, or take longer")
