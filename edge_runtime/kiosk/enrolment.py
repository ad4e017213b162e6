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
from edge_runtime.gallery.samples import NewSample, check_agreement
from edge_runtime.kiosk.presence import hint
from edge_runtime.kiosk.station import Station
from edge_runtime.names import checked_consent, checked_name, name_key, shown
from edge_runtime.people import Modality
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


class AlreadyEnrollingError(GalleryError):
    """Somebody else is being enrolled."""


class Enrolment:
    """At most one at a time. Raises GalleryError for what cannot be done now."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._lock = threading.Lock()
        self._walk: _Walk | None = None

    def begin(self, name: str, consent: str | None) -> str:
        """The name as it will be kept."""
        gallery = self._station.enrolled
        name, consent = checked_name(name), checked_consent(consent)
        with self._lock:
            if self._current() is not None:
                raise AlreadyEnrollingError("somebody is being enrolled already; finish or cancel "
                                            "that")
            with self._station.using:
                taken = {name_key(person.person) for person in gallery.people()}
            if name_key(name) in taken:
                raise NameTakenError(f"{shown(name)} is enrolled already; forget them first, or "
                                     "choose another name")
            self._walk = _Walk(name, consent, {}, time.monotonic())
            self._station.enrolling = True
        return name

    def face(self, angle: Angle) -> Taken:
        """Takes the face that is before the camera now."""
        self._asked()
        frame = self._station.frame(_WAIT_S)
        newer = self._station.frame(_WAIT_S, frame)  # what the person shows now
        if newer is None:
            return Taken(False, "no_picture", "the camera gives no picture; check it")
        with self._station.using:
            box, flaws = usable_face(newer.picture, self._station.detector.detect(newer.picture))
            if box is None:
                return _refused(refusals(flaws))
            found = self._station.identifier.embed(face=face_crop(newer.picture, box))
        return self._keep(f"face {angle}", "face", NewSample(f"the face ({angle})", "face",
                                                             found["face"]))

    def voice(self, sentence: int) -> Taken:
        """Records for RECORDED_S from now on."""
        self._asked()
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
        return self._keep(f"voice {sentence}", "voice",
                          NewSample(f"sentence {sentence}", "voice", found["voice"]))

    def finish(self, *, allow_duplicate: bool = False) -> Finished:
        """Keeps the person in the gallery, and looks whether they are recognised now."""
        walk = self._asked()
        with self._station.using:
            found = self._station.enrolled.enroll(
                walk.name, list(walk.samples.values()), consent=walk.consent,
                allow_duplicate=allow_duplicate)
        recognised, reason = self._check(found)
        self.cancel()
        return Finished(found.person, found.faces, found.clips, found.enrolled, recognised, reason)

    def cancel(self) -> bool:
        """Forgets what was taken so far. Whether there was anything."""
        with self._lock:
            begun, self._walk = self._walk is not None, None
            self._station.enrolling = False
        return begun

    def expire(self) -> None:
        """Cancels where nobody has asked for anything for ABANDONED_S."""
        with self._lock:
            abandoned = self._walk and time.monotonic() - self._walk.asked_s > ABANDONED_S
        if abandoned:
            self.cancel()

    def _current(self) -> _Walk | None:
        """To be called with the lock held."""
        if self._walk and time.monotonic() - self._walk.asked_s > ABANDONED_S:
            self._walk = None
        return self._walk

    def _asked(self) -> _Walk:
        with self._lock:
            walk = self._current()
            if walk is None:
                raise GalleryError("nobody is being enrolled; begin with a name")
            walk.asked_s = time.monotonic()
            return walk

    def _keep(self, place: str, modality: Modality, sample: NewSample) -> Taken:
        """One that is taken again replaces the one before."""
        with self._lock:
            walk = self._current()
            if walk is None:
                raise GalleryError("the enrolment was cancelled meanwhile; begin again")
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
        named = (decision.top[0].person if decision.reason == "no_thresholds"
                 else decision.person)
        return named == found.person, decision.reason


def _refused(flaws: tuple[Flaw, ...]) -> Taken:
    return Taken(False, flaws[0].reason, flaws[0].message, hint(flaws))
