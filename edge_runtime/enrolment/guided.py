"""Somebody is enrolled step by step: name and consent, faces, sentences, then all is kept at once.

Until `finish`, embeddings are in memory alone, and pictures and sound never anywhere else.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Protocol

from edge_runtime.capture.camera import Frame
from edge_runtime.capture.microphone import Clip, Microphone
from edge_runtime.decision.decide import Decision
from edge_runtime.decision.identify import Identifier
from edge_runtime.enrolment.rules import RULES, Angle, judge_clip, judge_picture
from edge_runtime.errors import GalleryError, NameTakenError
from edge_runtime.files import checked_consent, checked_name, name_key, shown
from edge_runtime.gallery.entries import Summary
from edge_runtime.gallery.erasure import Forgotten
from edge_runtime.gallery.samples import NewSample, check_agreement
from edge_runtime.gallery.store import Gallery
from edge_runtime.modalities import Modality
from edge_runtime.signals.detection import Detector, Picture, face_crop
from edge_runtime.signals.face_quality import Flaw, refusals, usable_face

ABANDONED_S = 300.0  # without a request: whoever began has gone
WAIT_S = 2.0  # for a picture, or for the end of the sound


class Station(Protocol):
    """What people are enrolled at, such as a kiosk's. enrolling: while it is, nobody is named."""

    identifier: Identifier
    detector: Detector
    microphone: Microphone | None
    using: threading.RLock
    """Held while networks, detector or gallery are used."""
    enrolling: bool

    @property
    def enrolled(self) -> Gallery:
        """GalleryError where there is none."""

    def frame(self, timeout_s: float, newer_than: Frame | None = None) -> Frame | None:
        """See Camera.latest."""

    def clip(self, seconds: float, timeout_s: float, newer_than: Clip | None = None) -> Clip | None:
        """See Microphone.last."""

    def identify(self, face: Picture | None = None) -> Decision:
        """See Identifier.identify."""

    def forget(self, name: str) -> Forgotten:
        """See Gallery.forget."""


@dataclass(frozen=True)
class Taken:
    """Whether a face or a clip is kept; if not, why, as a word and a sentence, and the flaws where
    that is what is wrong."""

    kept: bool
    reason: str | None = None
    message: str | None = None
    flaws: tuple[Flaw, ...] = ()


@dataclass(frozen=True)
class Finished:
    """recognised: whether whoever is before the camera now is taken for who was enrolled; None
    where no good face is there to be judged."""

    person: str
    faces: int
    clips: int
    enrolled: str
    recognised: bool | None
    reason: str | None


@dataclass
class Enrolment:
    """One person's. samples: by what was asked for. asked_s: when the last request came. kept:
    whether they are in the gallery."""

    name: str
    consent: str | None
    samples: dict[str, NewSample]
    asked_s: float
    kept: bool = False


class AlreadyEnrollingError(GalleryError):
    """Somebody else is being enrolled."""


class TooLateError(GalleryError):
    """They are in the gallery already."""


class GuidedEnrolment:
    """At most one at a time. Raises GalleryError for what cannot be done now.

    recorded_s, wait_s, abandoned_s: seconds of a sentence; for a picture or the end of the sound;
    without a request, after which whoever began is taken to have gone.

    Whoever cancels either comes before the person is in the gallery, and then nothing is kept, or
    is told that it is too late: one lock is held over both.
    """

    def __init__(
        self, station: Station, *, recorded_s: float = RULES.recorded_s, wait_s: float = WAIT_S,
        abandoned_s: float = ABANDONED_S,
    ) -> None:
        self.recorded_s, self.wait_s, self.abandoned_s = recorded_s, wait_s, abandoned_s
        self.begun: Enrolment | None = None
        self._station = station
        self._lock = threading.Lock()  # whoever needs station.using too takes that first
        self._last: Enrolment | None = None  # who was kept last

    def begin(self, name: str, consent: str | None) -> str:
        """The name as it will be kept."""
        name, consent = checked_name(name), checked_consent(consent)
        with self._station.using, self._lock:
            taken = {name_key(person.person) for person in self._station.enrolled.people()}
            if self._current() is not None:
                raise AlreadyEnrollingError("somebody is being enrolled already; finish or cancel "
                                            "that")
            if name_key(name) in taken:
                raise NameTakenError(f"{shown(name)} is enrolled already; forget them first, or "
                                     "choose another name")
            self.begun, self._last = Enrolment(name, consent, {}, time.monotonic()), None
            self._station.enrolling = True
        return name

    def face(self, angle: Angle) -> Taken:
        """Takes the face that is before the camera now."""
        begun = self._asked()
        frame = self._station.frame(self.wait_s)
        newer = self._station.frame(self.wait_s, frame)  # what the person shows now
        if newer is None:
            return Taken(False, "no_picture", "the camera gives no picture; check it")
        with self._station.using:
            boxes = self._station.detector.detect(newer.picture)
            box, flaws = judge_picture(newer.picture, boxes)
            if box is None:
                return _refused(flaws)
            found = self._station.identifier.embed(face=face_crop(newer.picture, box))
        return self._keep(begun, f"face {angle}", "face",
                          NewSample(f"the face ({angle})", "face", found["face"]))

    def voice(self, sentence: int) -> Taken:
        """Records for recorded_s from now on."""
        begun = self._asked()
        if self._station.microphone is None:
            return Taken(False, "no_sound", "there is no microphone")
        time.sleep(self.recorded_s)
        clip = self._station.clip(self.recorded_s, self.wait_s)
        if clip is None or not clip.sound.size:
            return Taken(False, "no_sound", "the microphone gives no sound; check it")
        if flaws := judge_clip(clip.sound):
            return _refused(flaws)
        with self._station.using:
            found = self._station.identifier.embed(voice=clip.sound)
        return self._keep(begun, f"voice {sentence}", "voice",
                          NewSample(f"sentence {sentence}", "voice", found["voice"]))

    def finish(self, *, allow_duplicate: bool = False) -> Finished:
        """Keeps the person in the gallery, and looks whether they are recognised now."""
        begun = self._asked()
        with self._station.using, self._lock:
            self._check_open(begun)
            found = self._station.enrolled.enroll(
                begun.name, list(begun.samples.values()), consent=begun.consent,
                allow_duplicate=allow_duplicate)
            begun.kept, self._last = True, begun
        try:
            recognised, reason = self._check(found)
        finally:
            with self._lock:
                self._end()
        return Finished(found.person, found.faces, found.clips, found.enrolled, recognised, reason)

    def cancel(self) -> bool:
        """Forgets what was taken so far. Whether there was anything. TooLateError where the person
        is in the gallery."""
        with self._lock:
            self._check_open(self._current() or self._last)
            was_begun = self.begun is not None
            self._end()
        return was_begun

    def forget(self, name: str) -> Forgotten:
        """From the gallery; GalleryError where they are about to come into it."""
        with self._station.using:
            with self._lock:
                begun = self._current()
                if begun and not begun.kept and name_key(begun.name) == name_key(name):
                    raise GalleryError(f"{shown(name)} is being enrolled, and not kept yet; cancel "
                                       "the enrolment, and nothing will be")
            found = self._station.forget(name)
            with self._lock:
                if self._last and name_key(self._last.name) == name_key(name):
                    self._last = None
            return found

    def expire(self) -> None:
        """Cancels where nobody has asked for anything for abandoned_s. Never waits: whoever has the
        lock is doing something."""
        if self._lock.acquire(blocking=False):
            try:
                self._current()
            finally:
                self._lock.release()

    def _current(self) -> Enrolment | None:
        """To be called with the lock held, as those below."""
        if self.begun and not self.begun.kept and self._abandoned(self.begun):
            self._end()
        if self._last and self._abandoned(self._last):
            self._last = None
        return self.begun

    def _abandoned(self, begun: Enrolment) -> bool:
        return time.monotonic() - begun.asked_s > self.abandoned_s

    def _end(self) -> None:
        self.begun = None
        self._station.enrolling = False

    def _check_open(self, begun: Enrolment | None) -> None:
        """Whether that one goes on."""
        if begun and begun.kept:
            raise TooLateError(f"too late to cancel or to change: {shown(begun.name)} is enrolled; "
                               "forget them under People (DELETE /api/people/NAME)")
        if begun is not self.begun:
            raise GalleryError("the enrolment was cancelled meanwhile, and nothing is kept; begin "
                               "again")

    def _asked(self) -> Enrolment:
        with self._lock:
            begun = self._current()
            if begun is None:
                raise GalleryError("nobody is being enrolled; begin with a name")
            self._check_open(begun)
            begun.asked_s = time.monotonic()
            return begun

    def _keep(self, begun: Enrolment, place: str, modality: Modality, sample: NewSample) -> Taken:
        """One that is taken again replaces the one before."""
        with self._lock:
            self._check_open(begun)
            others = {key: kept for key, kept in begun.samples.items() if key != place}
            try:
                check_agreement([*(kept for kept in others.values() if kept.modality == modality),
                                 sample])
            except GalleryError as error:
                return Taken(False, "not_alike", str(error))
            begun.samples = others | {place: sample}
        return Taken(True)

    def _check(self, found: Summary) -> tuple[bool | None, str | None]:
        frame = self._station.frame(self.wait_s) if found.faces else None
        if frame is None:
            return None, "no_picture"
        with self._station.using:
            box, flaws = usable_face(frame.picture, self._station.detector.detect(frame.picture))
            if box is None:
                return None, refusals(flaws)[0].reason
            decision = self._station.identify(face=face_crop(frame.picture, box))
        # Without thresholds nobody is named: whether they are the most alike has to do.
        best = decision.top[0].person if decision.top else None  # None: forgotten meanwhile
        named = best if decision.reason == "no_thresholds" else decision.person
        return named == found.person, decision.reason


def _refused(flaws: tuple[Flaw, ...]) -> Taken:
    return Taken(False, flaws[0].reason, flaws[0].message, flaws)
