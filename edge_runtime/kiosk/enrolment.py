"""Somebody is enrolled at the kiosk: name and consent, faces, sentences, then all is kept at once.

Until `finish`, embeddings are in memory alone, and pictures and sound never anywhere else.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Literal

from edge_runtime.crop import face_crop
from edge_runtime.errors import GalleryError, NameTakenError
from edge_runtime.gallery.answers import Summary
from edge_runtime.gallery.forgetting import Forgotten
from edge_runtime.gallery.samples import NewSample, check_agreement
from edge_runtime.kiosk.presence import hint
from edge_runtime.kiosk.station import Station
from edge_runtime.modalities import Modality
from edge_runtime.names import checked_consent, checked_name, name_key, shown
from edge_runtime.quality import Flaw, refusals, usable_face
from edge_runtime.speech import can_judge_voices, voice_quality

Angle = Literal["front", "left", "right"]
ANGLES: tuple[Angle, ...] = ("front", "left", "right")
SENTENCES = 3
RECORDED_S = 4.0
ABANDONED_S = 300.0  # without a request: whoever began has gone
_WAIT_S = 2.0  # for a picture, or for the end of the sound


@dataclass(frozen=True)
class Taken:
    """Whether a face or a clip is kept; if not, why, as a word and a sentence. hint: see
    presence.py."""

    kept: bool
    reason: str | None = None
    message: str | None = None
    hint: str | None = None


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
class _Walk:
    name: str
    consent: str | None
    samples: dict[str, NewSample]
    asked_s: float
    kept: bool = False

    @property
    def abandoned(self) -> bool:
        return time.monotonic() - self.asked_s > ABANDONED_S


class AlreadyEnrollingError(GalleryError):
    """Somebody else is being enrolled."""


class TooLateError(GalleryError):
    """They are in the gallery already."""


class Enrolment:
    """At most one at a time. Raises GalleryError for what cannot be done now.

    Whoever cancels either comes before the person is in the gallery, and then nothing is kept, or
    is told that it is too late: one lock is held over both.
    """

    def __init__(self, station: Station) -> None:
        self._station = station
        self._lock = threading.Lock()  # whoever needs station.using too takes that first
        self._walk: _Walk | None = None
        self._last: _Walk | None = None  # who was kept last

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
            self._walk, self._last = _Walk(name, consent, {}, time.monotonic()), None
            self._station.enrolling = True
        return name

    def face(self, angle: Angle) -> Taken:
        """Takes the face that is before the camera now."""
        walk = self._asked()
        frame = self._station.frame(_WAIT_S)
        newer = self._station.frame(_WAIT_S, frame)  # what the person shows now
        if newer is None:
            return Taken(False, "no_picture", "the camera gives no picture; check it")
        with self._station.using:
            box, flaws = usable_face(newer.picture, self._station.detector.detect(newer.picture))
            if box is None:
                return _refused(refusals(flaws))
            found = self._station.identifier.embed(face=face_crop(newer.picture, box))
        return self._keep(walk, f"face {angle}", "face",
                          NewSample(f"the face ({angle})", "face", found["face"]))

    def voice(self, sentence: int) -> Taken:
        """Records for RECORDED_S from now on."""
        walk = self._asked()
        if self._station.microphone is None:
            return Taken(False, "no_sound", "there is no microphone")
        time.sleep(RECORDED_S)
        clip = self._station.clip(RECORDED_S, _WAIT_S)
        if clip is None or not clip.sound.size:
            return Taken(False, "no_sound", "the microphone gives no sound; check it")
        if can_judge_voices() and (flaws := refusals(voice_quality(clip.sound))):
            return _refused(flaws)
        with self._station.using:
            found = self._station.identifier.embed(voice=clip.sound)
        return self._keep(walk, f"voice {sentence}", "voice",
                          NewSample(f"sentence {sentence}", "voice", found["voice"]))

    def finish(self, *, allow_duplicate: bool = False) -> Finished:
        """Keeps the person in the gallery, and looks whether they are recognised now."""
        walk = self._asked()
        with self._station.using, self._lock:
            self._check_open(walk)
            found = self._station.enrolled.enroll(
                walk.name, list(walk.samples.values()), consent=walk.consent,
                allow_duplicate=allow_duplicate)
            walk.kept, self._last = True, walk
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
            begun = self._walk is not None
            self._end()
        return begun

    def forget(self, name: str) -> Forgotten:
        """From the gallery; GalleryError where they are about to come into it."""
        with self._station.using:
            with self._lock:
                walk = self._current()
                if walk and not walk.kept and name_key(walk.name) == name_key(name):
                    raise GalleryError(f"{shown(name)} is being enrolled, and not kept yet; cancel "
                                       "the enrolment, and nothing will be")
            found = self._station.forget(name)
            with self._lock:
                if self._last and name_key(self._last.name) == name_key(name):
                    self._last = None
            return found

    def expire(self) -> None:
        """Cancels where nobody has asked for anything for ABANDONED_S. Never waits: whoever has the
        lock is doing something."""
        if self._lock.acquire(blocking=False):
            try:
                self._current()
            finally:
                self._lock.release()

    def _current(self) -> _Walk | None:
        """To be called with the lock held, as those below."""
        if self._walk and not self._walk.kept and self._walk.abandoned:
            self._end()
        if self._last and self._last.abandoned:
            self._last = None
        return self._walk

    def _end(self) -> None:
        self._walk = None
        self._station.enrolling = False

    def _check_open(self, walk: _Walk | None) -> None:
        """Whether the walk goes on."""
        if walk and walk.kept:
            raise TooLateError(f"too late to cancel or to change: {shown(walk.name)} is enrolled; "
                               "forget them under People (DELETE /api/people/NAME)")
        if walk is not self._walk:
            raise GalleryError("the enrolment was cancelled meanwhile, and nothing is kept; begin "
                               "again")

    def _asked(self) -> _Walk:
        with self._lock:
            walk = self._current()
            if walk is None:
                raise GalleryError("nobody is being enrolled; begin with a name")
            self._check_open(walk)
            walk.asked_s = time.monotonic()
            return walk

    def _keep(self, walk: _Walk, place: str, modality: Modality, sample: NewSample) -> Taken:
        """One that is taken again replaces the one before."""
        with self._lock:
            self._check_open(walk)
            others = {key: kept for key, kept in walk.samples.items() if key != place}
            try:
                check_agreement([*(kept for kept in others.values() if kept.modality == modality),
                                 sample])
            except GalleryError as error:
                return Taken(False, "not_alike", str(error))
            walk.samples = others | {place: sample}
        return Taken(True)

    def _check(self, found: Summary) -> tuple[bool | None, str | None]:
        frame = self._station.frame(_WAIT_S) if found.faces else None
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
    return Taken(False, flaws[0].reason, flaws[0].message, hint(flaws))
