"""What is told to the page, to clients and to brokers. Times are UTC, ISO 8601."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from edge_runtime.crop import Picture
from edge_runtime.decide import Decision
from edge_runtime.detect import Box

FRESH_S = 10.0  # a decision that could not be told within this is not told as if it were now

State = Literal["idle", "looking", "listening", "known", "nobody", "enrolling"]
JUDGED: tuple[State, ...] = ("known", "nobody")  # whoever is there, the last decision is of them


@dataclass(frozen=True)
class FaceAt:
    """Where the face is, in fractions of the picture's width and height; beyond 0 to 1 where it
    reaches over the edge."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, box: Box, picture: Picture) -> FaceAt:
        height, width = picture.shape[:2]
        return cls(*(round(share, 4) for share in (
            box.left / width, box.top / height, (box.left + box.width) / width,
            (box.top + box.height) / height)))


@dataclass(frozen=True)
class View:
    """What is seen and heard now. face_hint, voice_hint: see presence.py. level_db: of the last
    moment of sound, in decibels of full scale. camera, microphone: how they are, a word of
    capture/status.py, or None without one."""

    state: State
    face: FaceAt | None
    face_hint: str | None
    voice_hint: str | None
    level_db: float | None
    camera: str | None = None
    microphone: str | None = None

    def message(self) -> dict[str, Any]:
        return {"type": "view", **asdict(self)}


@dataclass(frozen=True)
class DecisionEvent:
    """Who was found to be there, or nobody who is known, and when. decision: of its best five
    alone, with milliseconds of each stage of the last look."""

    decision: Decision
    time: str

    @property
    def names(self) -> set[str]:
        """Everybody whom it names."""
        found = self.decision
        return {*found.people} | ({found.person} if found.person else set())

    def message(self) -> dict[str, Any]:
        """confidence: the score of who was named, where they are among the best five."""
        found = self.decision
        scores = {ranked.person: round(ranked.score, 6) for ranked in found.top}
        return {"type": "decision", "person": found.person,
                "confidence": scores.get(found.person) if found.person is not None else None,
                "threshold": found.threshold, "reason": found.reason,
                "scores": [{"person": person, "score": score} for person, score in scores.items()],
                "ms": {stage: round(ms, 3) for stage, ms in found.ms.items()}, "time": self.time}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
