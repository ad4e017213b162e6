"""From looks to what is told: a state, hints, and a decision once somebody has been judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from edge_runtime.apps.kiosk.events import DecisionEvent, FaceAt, State, now
from edge_runtime.decision.decide import Decision, Reason
from edge_runtime.decision.evidence import GONE_S, HEARD_S, NOBODY_AFTER_S
from edge_runtime.decision.watch import Seen
from edge_runtime.signals.face_quality import Flaw, refusals

# Who was named stays so for a while after there is anything to judge them by.
_NOTHING = Decision(None, "accepted", (), {"fused": np.empty(0, np.float32)})

# No face, no hint: the state says it.
HINTS: Mapping[str, str] = {
    "face_too_small": "closer", "face_cut_off": "middle", "face_blurred": "still",
    "face_too_dark": "brighter", "face_too_bright": "darker", "face_low_contrast": "contrast",
    "several_faces": "alone",
    "too_little_speech": "speak", "voice_too_quiet": "louder", "voice_clipped": "softer",
    "voice_noisy": "noise"}


def hint(flaws: Sequence[Flaw] | None) -> str | None:
    """What to do about the worst of them, as a word of HINTS."""
    worst = [*refusals(flaws or ()), *(flaws or ())]
    return next((HINTS[flaw.reason] for flaw in worst if flaw.reason in HINTS), None)


class Presence:
    """Whether somebody is there, and what is known of them. Fed by one thread."""

    def __init__(self) -> None:
        self.state: State = "idle"
        self.face: FaceAt | None = None
        self.face_hint: str | None = None
        self.voice_hint: str | None = None
        self._face_s = self._voice_s = -np.inf  # when they were seen and heard
        self._since_s: float | None = None  # since when somebody is there without a name
        self._told: tuple[str | None, str] | None = None

    def update(self, seen: Seen, face: FaceAt | None) -> DecisionEvent | None:
        """A look, with where its face is (None: no face, or no new picture). Returns what is to be
        told, once for each person who comes."""
        if "face" in seen.quality:
            self.face, self.face_hint = face, hint(seen.quality["face"])
        if face is not None:
            self._face_s = seen.at_s
        if "voice" in seen.quality:
            self.voice_hint = hint(seen.quality["voice"])
            if self.voice_hint is None:
                self._voice_s = seen.at_s
        if seen.at_s - self._face_s >= GONE_S:
            self.face = self.face_hint = None
        return self._judge(seen)

    def untold(self) -> None:
        """Nobody has heard what was to be told: it is told again, of whoever is then there; that
        they are nobody who is known, after another NOBODY_AFTER_S of looking."""
        self._told = self._since_s = None
        if self.state == "nobody":
            self.state = "looking"

    def _judge(self, seen: Seen) -> DecisionEvent | None:
        heard = seen.at_s - self._voice_s < HEARD_S
        there = seen.at_s - self._face_s < GONE_S or (heard and not _sees(seen))
        if not there and seen.named is None:
            self.state, self._since_s, self._told = "idle", None, None
            return None
        if seen.named is not None:
            self.state, self._since_s = "known", None
            return self._once(seen, seen.named, "accepted")
        self._since_s = seen.at_s if self._since_s is None else self._since_s
        if seen.decision and seen.decision.person is None and (
                seen.at_s - self._since_s >= NOBODY_AFTER_S):
            self.state = "nobody"
            return self._once(seen, None, seen.decision.reason)
        if self.state != "nobody":
            self.state = "listening" if heard else "looking"
        return None

    def _once(self, seen: Seen, person: str | None, reason: Reason) -> DecisionEvent | None:
        if (person, reason) == self._told:
            return None
        self._told = (person, reason)
        found = seen.decision.of_top() if seen.decision else _NOTHING
        return DecisionEvent(replace(found, person=person, reason=reason, ms=seen.ms), now())


def _sees(seen: Seen) -> bool:
    """Whether the camera works, or is about to: then speech without a face is of somebody who is
    not here."""
    camera = seen.status.get("camera")
    return camera is not None and camera.state in ("ok", "starting", "ended", "closed")
