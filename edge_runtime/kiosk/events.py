"""Messages to every client that listens: by WebSocket, or server-sent.

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
from typing import Any

from edge_runtime.kiosk.messages import FRESH_S, JUDGED

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
