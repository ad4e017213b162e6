"""Who is there now: a camera and a microphone in, a steady name out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import numpy as np

from edge_runtime.bundle.networks import Outputs
from edge_runtime.capture.camera import Camera, Frame
from edge_runtime.capture.microphone import Clip, Microphone
from edge_runtime.capture.source import FINAL, State, Status
from edge_runtime.decision.decide import Decision, Enrolled
from edge_runtime.decision.evidence import Evidence, SteadyName, Visit
from edge_runtime.decision.identify import Identifier
from edge_runtime.decision.scoring import LEAST_SCORE
from edge_runtime.decision.similarity import LEAST_LENGTH
from edge_runtime.errors import UsageError
from edge_runtime.modalities import MODALITIES, Modality
from edge_runtime.signals.detection import Box, Detector
from edge_runtime.signals.face_quality import refusals
from edge_runtime.signals.reader import InputReader, Quality, Stages
from edge_runtime.signals.voice import CLIP_SAMPLES, SAMPLE_RATE

PERIOD_S = 0.2  # between two looks
_HEARD_S = CLIP_SAMPLES / SAMPLE_RATE
_ALONE: AbstractContextManager[object] = nullcontext()


@dataclass(frozen=True)
class Seen:
    """One look. at_s: as time.monotonic(). named: see SteadyName. decision: by the last seconds;
    None where there was nothing to judge by. quality: flaws of what was seen and heard now.
    status: of camera and microphone. ms: milliseconds of each stage. frame: what the camera showed;
    None where it has shown nothing new. box: its largest face, good enough or not."""

    at_s: float
    named: str | None
    decision: Decision | None
    quality: Quality
    status: Mapping[str, Status]
    ms: Mapping[str, float]
    frame: Frame | None = None
    box: Box | None = None


class Watcher:
    """Gathers what single faces and clips say, and says who it is.

    Faces and clips that are not good enough say nothing. box: the largest face of the last picture,
    good enough or not. Raises UsageError for a bundle of one fused network, whose face and voice
    cannot come at different times.
    """

    def __init__(
        self, identifier: Identifier, detector: Detector, gallery: Enrolled | None = None
    ) -> None:
        if set(identifier.manifest.files) != set(MODALITIES):
            raise UsageError("expected a bundle of a pair to watch with, found one fused network")
        self._identifier, self._detector, self._gallery = identifier, detector, gallery
        self.box: Box | None = None
        self._visit, self._evidence, self._steady = Visit(), Evidence(), SteadyName()
        self._news = False  # whether anything came since the last decision
        self._doubtful: set[Modality] = set()  # by the last face and clip that were used

    def see(self, frame: Frame, clock: Stages) -> Quality:
        """A whole picture. Returns what is wrong with its largest face."""
        reader = InputReader(self._identifier.manifest.inputs, clock)
        reader.picture(frame.picture, self._detector)
        self.box = reader.box
        if self._visit.see("face" in reader.arrays, frame.at_s):
            self._evidence.clear()
            self._steady.doubt()
        self._add(reader, "face", frame.at_s, clock)
        return reader.quality

    def heard_s(self, time_s: float) -> float:
        """How many seconds of sound are of whoever is there now: what was said before a face came
        or went was said by somebody else."""
        return min(_HEARD_S, time_s - self._visit.since_s)

    def hear(self, clip: Clip, clock: Stages) -> Quality:
        """The last seconds of sound. Returns what is wrong with them."""
        reader = InputReader(self._identifier.manifest.inputs, clock)
        reader.voice(clip.sound)
        if not refusals(reader.quality["voice"] or ()):
            # A short clip is repeated, and says less than the longer one that follows.
            share = min(clip.sound.size / CLIP_SAMPLES, 1.0)
            self._add(reader, "voice", clip.end_s, clock, share ** 2)
        return reader.quality

    def decide(self, time_s: float) -> tuple[str | None, Decision | None]:
        """Who is named now, and what the last seconds say."""
        means = self._evidence.means(time_s)
        decision = self._identifier.decide(
            {m: self._outputs(row) for m, row in means.items()}, self._gallery,
            self._doubtful) if means else None
        if self._news or not decision:
            named = self._steady.update(decision.person if decision else None, time_s)
        else:  # what was seen before proves nothing about who is there now
            named = self._steady.wait(time_s)
        self._news = False
        return named, decision

    def _add(
        self, reader: InputReader, modality: Modality, at_s: float, clock: Stages,
        weight: float = 1.0,
    ) -> None:
        """Of people enrolled embeddings are averaged, of those of the training log-scores."""
        for found in self._identifier.run(reader, clock).values():
            row = found.embedding if self._gallery else np.log(
                np.maximum(found.scores, LEAST_SCORE))
            self._evidence.add(modality, row, at_s, weight)
            self._news = True
            self._doubtful = self._doubtful - {modality} | reader.doubtful

    def _outputs(self, mean: np.ndarray) -> Outputs:
        if self._gallery:
            unit = mean / max(float(np.linalg.norm(mean)), LEAST_LENGTH)
            return Outputs(np.empty(0, np.float32), unit.astype(np.float32))
        scores = np.exp(mean - mean.max())
        return Outputs((scores / scores.sum()).astype(np.float32), np.empty(0, np.float32))


def watch(
    watcher: Watcher, camera: Camera | None, microphone: Microphone | None,
    seconds: float | None = None, using: AbstractContextManager[object] = _ALONE,
) -> Iterator[Seen]:
    """A look each PERIOD_S, until `seconds` have passed or nothing more can come.

    using: the lock of whoever shares the watcher's networks, detector or gallery with other
    threads; held while they are used, never while something is waited for.
    """
    begin = time.monotonic()
    frame: Frame | None = None
    clip: Clip | None = None
    while seconds is None or time.monotonic() - begin < seconds:
        look_s, clock = time.monotonic(), Stages()
        quality: Quality = {}
        newer: Frame | None = None
        if camera and (newer := camera.latest(PERIOD_S, frame)):
            frame = newer
            with using:
                quality |= watcher.see(frame, clock)
        heard = microphone and microphone.last(watcher.heard_s(look_s), 0.0, clip)
        if heard and heard.sound.size:
            clip = heard
            with using:
                quality |= watcher.hear(clip, clock)
        now_s = time.monotonic()
        with using:
            named, decision = watcher.decide(now_s)
        if decision:
            decision = replace(decision, ms=clock.ms, quality=quality)
        status = _status(camera, microphone)
        yield Seen(now_s, named, decision, quality, status, clock.ms, newer,
                   watcher.box if newer else None)
        if all(_is_over(known.state) for known in status.values()):
            return
        time.sleep(max(0.0, PERIOD_S - (time.monotonic() - look_s)))


def _status(camera: Camera | None, microphone: Microphone | None) -> dict[str, Status]:
    return {name: source.status for name, source in
            (("camera", camera), ("microphone", microphone)) if source}


def _is_over(state: State) -> bool:
    return state in FINAL
