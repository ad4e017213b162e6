"""What is told to the page, to clients and to brokers, by WebSocket or server-sent. Times are UTC,
ISO 8601.

A client that reads late is not told of who was there: a decision that has waited for longer than
FRESH_S is dropped, unless it is the last one and of whoever is there now.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from edge_runtime.decision.decide import Decision
from edge_runtime.signals.detection import Box, Picture

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
    capture/source.py, or None without one."""

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


MAX_CLIENTS = 16
_KEPT = 100  # decisions for a client that does not read


def as_text(message: Mapping[str, Any]) -> str:
    """A message as it is sent."""
    return json.dumps(message, separators=(",", ":"))


class TooManyClientsError(Exception):
    """There are as many already as may listen, or look."""


class Subscription:
    """What one client has not read yet: the newest view only, and the last decisions."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._view: str | None = None
        self._others: deque[tuple[float, str]] = deque(maxlen=_KEPT)
        self.judged = False  # whether the last decision is of whoever is there now
        self._changed = asyncio.Event()
        self._closed = False

    def put(self, kind: str, text: str) -> None:
        if kind == "view":
            self._view = text
        else:
            self._others.append((self._clock(), text))
            self.judged = True
        self._changed.set()

    def close(self) -> None:
        self._closed = True
        self._changed.set()

    async def next(self) -> str | None:
        """The next message as JSON; None once the kiosk stops."""
        while True:
            if self._closed:
                return None
            while self._others:
                at_s, text = self._others.popleft()
                if self._clock() - at_s <= FRESH_S or (self.judged and not self._others):
                    return text
            if self._view is not None:
                view, self._view = self._view, None
                return view
            self._changed.clear()
            await self._changed.wait()


class EventHub:
    """To be used from the event loop's thread alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    @property
    def clients(self) -> int:
        return len(self._subscriptions)

    @property
    def room(self) -> bool:
        """Whether one more client may listen."""
        return self.clients < MAX_CLIENTS

    def publish(self, message: Mapping[str, Any]) -> None:
        """Never waits: what a slow client does not read is dropped, views first."""
        if self._subscriptions:
            text = as_text(message)
            for subscription in self._subscriptions:
                subscription.put(message["type"], text)
                if message["type"] == "view":
                    subscription.judged = message["state"] in JUDGED

    @contextmanager
    def subscribed(self) -> Iterator[Subscription]:
        """A client that listens. Raises TooManyClientsError."""
        if not self.room:
            raise TooManyClientsError("too many clients listen already")
        subscription = Subscription(self._clock)
        if self._closed:
            subscription.close()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def close(self) -> None:
        """Ends every client's stream."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.close()
