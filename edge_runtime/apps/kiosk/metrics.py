"""What Prometheus reads at /metrics. No label holds a name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

if TYPE_CHECKING:
    from edge_runtime.apps.kiosk.events import EventHub
    from edge_runtime.apps.kiosk.station import Station

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The figures of one kiosk."""

    def __init__(self, station: Station, hub: EventHub) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.decisions = self._counter("decisions", "Decisions of the loop, by reason", "reason")
        self.identified = self._counter("identified", "Decisions on uploads, by reason", "reason")
        self.identify_seconds = Histogram(
            "visavox_identify_seconds", "From a whole upload to its decision", buckets=_SECONDS,
            registry=self._registry)
        self.refused_tokens = self._counter("refused_tokens", "Wrong or missing tokens")
        self.hooks = self._counter("hooks", "Runs of the hook, by result", "result")
        self.mqtt_connected = self._gauge("mqtt_connected", "Whether the broker answers")
        self.mqtt_dropped = self._counter("mqtt_dropped", "Messages that the queue had no room for")
        self._gauge("clients", "Clients that listen to events").set_function(lambda: hub.clients)
        self._gauge("alive", "Whether the loop looks").set_function(lambda: station.alive)
        sources: tuple[Literal["camera", "microphone"], ...] = ("camera", "microphone")
        for name in sources:
            self._gauge(f"{name}_ok", f"Whether the {name} gives something").set_function(
                partial(_is_ok, station, name))

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def _counter(self, name: str, help: str, *labels: str) -> Counter:
        return Counter(f"visavox_{name}", help, labels, registry=self._registry)

    def _gauge(self, name: str, help: str) -> Gauge:
        return Gauge(f"visavox_{name}", help, registry=self._registry)


def _is_ok(station: Station, name: Literal["camera", "microphone"]) -> bool:
    status = station.status(name)
    return status is not None and status.state == "ok"
