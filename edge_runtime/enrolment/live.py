"""Somebody in front of a camera and a microphone: faces and clips to enroll them from."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edge_runtime.capture.camera import Camera, Frame
from edge_runtime.capture.microphone import Clip, Microphone
from edge_runtime.capture.source import FINAL, Status
from edge_runtime.console.output import counted
from edge_runtime.decision.identify import Identifier
from edge_runtime.enrolment.rules import judge_clip, judge_picture
from edge_runtime.errors import GalleryError
from edge_runtime.gallery.roster import Embeddings
from edge_runtime.gallery.samples import NewSample, check_counts
from edge_runtime.modalities import Modality
from edge_runtime.signals.detection import Detector, face_crop
from edge_runtime.signals.face_quality import Flaw
from edge_runtime.signals.voice import CLIP_SAMPLES, SAMPLE_RATE

PERIOD_S = 0.3  # between two looks
FACE_EVERY_S = 1.0  # pictures of one moment are all alike
CLIP_S = CLIP_SAMPLES / SAMPLE_RATE
WORDS: dict[Modality, str] = {"face": "face", "voice": "clip"}


class LiveEnrolment:
    """Takes faces and clips until there are as many as wanted, each for itself.

    Refused is what rules.py refuses, and what is the same as one before; clips never overlap.
    begun_s: what was heard before, as time.monotonic(), was said by somebody else.
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
        box, flaws = judge_picture(frame.picture, self._detector.detect(frame.picture))
        if box is None:
            self._refuse("face", flaws)
        elif self._take("face", self._identifier.embed(face=face_crop(frame.picture, box))):
            self._face_s = frame.at_s

    def hear(self, clip: Clip) -> None:
        """The last CLIP_S of sound."""
        early = clip.start_s < self._heard_until_s - 0.5 / SAMPLE_RATE  # of rounding
        if not self.wants("voice") or early or clip.sound.size < CLIP_SAMPLES:
            return
        if flaws := judge_clip(clip.sound):
            self._refuse("voice", flaws)
        elif self._take("voice", self._identifier.embed(voice=clip.sound)):
            self._heard_until_s = clip.end_s

    def _refuse(self, modality: Modality, flaws: tuple[Flaw, ...]) -> None:
        self.refused[modality] = "; ".join(flaw.message for flaw in flaws)

    def _take(self, modality: Modality, embeddings: Mapping[str, Embeddings]) -> bool:
        embedding = embeddings[modality]
        if self._has(modality, embedding):
            self.refused[modality] = "it is the same as one before; move a little, and speak on"
            return False
        source = f"{WORDS[modality]} {self.count(modality) + 1}"
        self.samples.append(NewSample(source, modality, embedding))
        self.refused[modality] = None
        return True

    def _has(self, modality: Modality, embedding: Embeddings) -> bool:
        return any(sample.modality == modality and (sample.embedding == embedding).all()
                   for sample in self.samples)


@dataclass(frozen=True)
class Progress:
    """How far it is. refused: see LiveEnrolment. status: by modality, of what is waited for."""

    faces: int
    clips: int
    refused: Mapping[Modality, str | None]
    status: Mapping[Modality, Status]


def gather(
    enrolment: LiveEnrolment, camera: Camera | None, microphone: Microphone | None, seconds: float
) -> Iterator[Progress]:
    """A look each PERIOD_S, until the enrolment has all that it wants.

    Raises GalleryError where that is not so after `seconds`, or nothing more can come.
    """
    begin_s = time.monotonic()
    frame: Frame | None = None
    clip: Clip | None = None
    while True:
        look_s = time.monotonic()
        if camera and enrolment.wants("face") and (newer := camera.latest(PERIOD_S, frame)):
            frame = newer
            enrolment.see(frame)
        if microphone and enrolment.wants("voice") and (
                heard := microphone.last(CLIP_S, 0.0, clip)):
            clip = heard
            enrolment.hear(clip)
        status: dict[Modality, Status] = {}
        if camera and enrolment.wants("face"):
            status["face"] = camera.status
        if microphone and enrolment.wants("voice"):
            status["voice"] = microphone.status
        yield Progress(enrolment.count("face"), enrolment.count("voice"),
                       dict(enrolment.refused), status)
        if not status:
            return
        if look_s - begin_s > seconds or any(now.state in FINAL for now in status.values()):
            raise GalleryError(_too_few(enrolment, status))
        time.sleep(max(0.0, PERIOD_S - (time.monotonic() - look_s)))


def _too_few(enrolment: LiveEnrolment, status: Mapping[Modality, Status]) -> str:
    reasons = [(now.state == "ok" and enrolment.refused.get(modality)) or now.message
               for modality, now in status.items()]
    wanted = [counted(enrolment.wanted[m], word) for m, word in WORDS.items()]
    found = [counted(enrolment.count(m), word) for m, word in WORDS.items()]
    return (f"expected {' and '.join(wanted)}, found {' and '.join(found)} ({'; '.join(reasons)}); "
            "nobody is enrolled: do it again, or want fewer, or take longer")
