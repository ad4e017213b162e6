"""What the routes work with: the station, its events, its enrolment, its figures, its token."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from edge_runtime.apps.kiosk.events import (
    JUDGED,
    DecisionEvent,
    EventHub,
    State,
    Subscription,
    as_text,
)
from edge_runtime.apps.kiosk.live_view import LiveView
from edge_runtime.apps.kiosk.metrics import Metrics
from edge_runtime.apps.kiosk.mqtt import Broker
from edge_runtime.apps.kiosk.station import Station
from edge_runtime.apps.kiosk.tokens import Tokens
from edge_runtime.enrolment.guided import GuidedEnrolment

VIEW_S = 0.125  # between two views
PAGE = Path(__file__).parents[2] / "web" / "kiosk"


class Service:
    """One kiosk. bundle: the name by which it is shown. phone: what `visavox export-web` wrote, to
    be served too. on_state: called with the state several times a second."""

    def __init__(
        self, station: Station, tokens: Tokens, bundle: str, phone: Path | None = None
    ) -> None:
        self.phone = phone
        self.station, self.tokens, self.bundle = station, tokens, bundle
        self.hub = EventHub()
        self.enrolment = GuidedEnrolment(station)
        self.live_view = LiveView(station)
        self.metrics = Metrics(station, self.hub)
        self.broker: Broker | None = None
        self.on_state: list[Callable[[State], None]] = []
        self._current: DecisionEvent | None = None  # what was told of whoever is there

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks and tells, until the block ends."""
        loop = asyncio.get_running_loop()

        def decided(event: DecisionEvent) -> None:
            self._current = event
            self.metrics.decisions.labels(event.decision.reason).inc()
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self.hub.publish, event.message())

        self.station.on_decision.append(decided)
        with self.station:
            telling = asyncio.create_task(self._tell_views())
            try:
                yield
            finally:
                self.close()
                telling.cancel()

    @contextlib.contextmanager
    def subscribed(self) -> Iterator[Subscription]:
        """A client that listens; it is told first who is there now. Raises TooManyClientsError."""
        with self.hub.subscribed() as subscription:
            if self._current:
                subscription.put("decision", as_text(self._current.message()))
            yield subscription

    def close(self) -> None:
        """Ends every client's stream."""
        self.hub.close()
        self.live_view.closed = True

    async def _tell_views(self) -> None:
        while True:
            await asyncio.sleep(VIEW_S)
            self.enrolment.expire()
            if self.station.state not in JUDGED:
                self._current = None
            for tell in self.on_state:
                tell(self.station.state)
            if self.hub.clients:
                self.hub.publish(self.station.view().message())


def languages() -> list[str]:
    """Those that the page has a dictionary file for: page/languages/<code>.json."""
    return sorted(file.stem for file in (PAGE / "languages").glob("*.json"))
