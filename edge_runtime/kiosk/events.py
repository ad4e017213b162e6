"""Messages to every client that listens: by WebSocket, or server-sent."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

MAX_CLIENTS = 16
_KEPT = 100  # decisions for a client that does not read


def as_text(message: Mapping[str, Any]) -> str:
    """A message as it is sent."""
    return json.dumps(message, separators=(",", ":"))


class TooManyClientsError(Exception):
    """There are MAX_CLIENTS already."""


class Subscription:
    """What one client has not read yet: the newest view only, and the last decisions."""

    def __init__(self) -> None:
        self._view: str | None = None
        self._others: deque[str] = deque(maxlen=_KEPT)
        self._changed = asyncio.Event()
        self._closed = False

    def put(self, kind: str, text: str) -> None:
        if kind == "view":
            self._view = text
        else:
            self._others.append(text)
        self._changed.set()

    def close(self) -> None:
        self._closed = True
        self._changed.set()

    async def next(self) -> str | None:
        """The next message as JSON; None once the kiosk stops."""
        while True:
            if self._closed:
                return None
            if self._others:
                return self._others.popleft()
            if self._view is not None:
                view, self._view = self._view, None
                return view
            self._changed.clear()
            await self._changed.wait()


class EventHub:
    """To be used from the event loop's thread alone."""

    def __init__(self) -> None:
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

    @contextmanager
    def subscribed(self) -> Iterator[Subscription]:
        """A client that listens. Raises TooManyClientsError."""
        if not self.room:
            raise TooManyClientsError
        subscription = Subscription()
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
