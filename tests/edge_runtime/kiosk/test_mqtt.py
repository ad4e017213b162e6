"""Decisions to a real broker: told, told after the broker was away, and bounded."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_runtime.errors import UsageError
from edge_runtime.kiosk import mqtt
from edge_runtime.kiosk.configuration import MqttSettings
from edge_runtime.kiosk.events import EventHub
from edge_runtime.kiosk.messages import Decided
from edge_runtime.kiosk.metrics import Metrics
from edge_runtime.kiosk.mqtt import Broker
from edge_runtime.kiosk.service import Service
from tests.edge_runtime.kiosk.stand_ins import wait_until


class Mosquitto:
    """A real broker that can be killed and started again, and a client that notes what it says.

    The broker keeps who has subscribed: the client may come back later than the kiosk, whose
    messages nobody would hear.
    """

    def __init__(self, program: str, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._command = [program, "-c", str(folder / "mosquitto.conf")]
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n"
            f"persistence true\npersistence_location {folder}/\n"
            "autosave_on_changes true\nautosave_interval 1\n")
        self._process: subprocess.Popen[bytes] | None = None
        self.received: list[tuple[str, str, bool]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, "listener", clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _client, _data, message: self.received.append(
            (message.topic, message.payload.decode(), message.retain))

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL)
        wait_until(self._answers)
        self._subscribed.clear()
        if self._client.is_connected() is False and not self.received:
            self._client.connect("127.0.0.1", self.port)
            self._client.loop_start()
        assert self._subscribed.wait(15)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self.kill()

    def said(self, topic: str) -> list[str]:
        return [content for found, content, _ in self.received if found == topic]

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("mosquitto is not installed (Debian: apt install mosquitto)")
    found = Mosquitto(program, tmp_path)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def metrics(service: Service) -> Metrics:
    return Metrics(service.station, EventHub())


def decided(person: str | None) -> Decided:
    return Decided(person, 0.9 if person else None, "accepted", ((person or "x", 0.9),),
                   {"detect": 1.0}, "2026-01-01T00:00:00.000+00:00")


DECISION, AVAILABILITY = "visavox/door/decision", "visavox/door/availability"


def settings(port: int, **changes: str) -> MqttSettings:
    return MqttSettings(host="127.0.0.1", port=port, device="door", **changes)


def test_decisions_states_and_discovery(broker: Mosquitto, metrics: Metrics) -> None:
    with Broker(settings(broker.port), metrics) as kiosk:
        wait_until(lambda: broker.said(AVAILABILITY) == ["online"])
        kiosk.decided(decided("Anna"))
        kiosk.decided(decided(None))
        kiosk.state("known")
        kiosk.state("known")
        wait_until(lambda: len(broker.said(DECISION)) == 2)
        wait_until(lambda: broker.said("visavox/door/state") == ["idle", "known"])
        assert b"visavox_mqtt_connected 1.0" in metrics.text()
    wait_until(lambda: broker.said(AVAILABILITY) == ["online", "offline"])
    first, second = map(json.loads, broker.said(DECISION))
    assert first["person"] == "Anna" and second["person"] is None and "type" not in first
    sensor = json.loads(broker.said("homeassistant/sensor/visavox_door/decision/config")[0])
    assert sensor["state_topic"] == DECISION and sensor["availability_topic"] == AVAILABILITY
    assert sensor["unique_id"] == "visavox_door_decision" and sensor["device"]["identifiers"]
    [found] = broker.said("homeassistant/binary_sensor/visavox_door/presence/config")
    presence = json.loads(found)
    assert presence["device"] == sensor["device"]
    assert presence["state_topic"] == "visavox/door/state"


def test_nothing_that_is_retained_names_anybody(broker: Mosquitto, metrics: Metrics) -> None:
    with Broker(settings(broker.port), metrics) as kiosk:
        kiosk.decided(decided("Anna"))
        wait_until(lambda: broker.said(DECISION))
    found: list[str] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, "late")
    client.on_connect = lambda one, *_: one.subscribe("#")
    client.on_message = lambda _client, _data, message: found.append(message.payload.decode())
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    wait_until(lambda: "offline" in found)
    client.disconnect()
    client.loop_stop()
    assert not any("Anna" in content for content in found)


def test_a_killed_broker_loses_no_decision(
    broker: Mosquitto, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "_LAST_RETRY_S", 1)
    with Broker(settings(broker.port), metrics) as kiosk:
        wait_until(lambda: broker.said(AVAILABILITY))
        kiosk.decided(decided("before"))
        wait_until(lambda: broker.said(DECISION))
        broker.kill()
        wait_until(lambda: b"visavox_mqtt_connected 0.0" in metrics.text())
        for number in range(50):
            kiosk.decided(decided(f"away {number}"))
        broker.start()
        kiosk.decided(decided("after"))
        wait_until(lambda: len({*broker.said(DECISION)}) >= 52, 20)
    names = [json.loads(content)["person"] for content in broker.said(DECISION)]
    assert {*names} == {"before", *(f"away {number}" for number in range(50)), "after"}
    assert b"visavox_mqtt_dropped_total 0.0" in metrics.text()


def test_a_broker_that_is_not_there_holds_nothing_up(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "QUEUE", 10)
    with Broker(settings(1), metrics) as kiosk:
        start_s = time.monotonic()
        for _ in range(30):
            kiosk.decided(decided("Anna"))
        assert time.monotonic() - start_s < 1
        assert b"visavox_mqtt_dropped_total 20.0" in metrics.text()
    assert time.monotonic() - start_s < 5


def test_without_discovery_home_assistant_is_told_nothing(
    broker: Mosquitto, metrics: Metrics
) -> None:
    with Broker(settings(broker.port, discovery=""), metrics):
        wait_until(lambda: broker.said(AVAILABILITY))
        wait_until(lambda: broker.said("visavox/door/state"))
    assert not any(topic.startswith("homeassistant") for topic, _, _ in broker.received)


def test_a_password_file_that_is_missing(metrics: Metrics, tmp_path: Path) -> None:
    missing = str(tmp_path / "password")
    with pytest.raises(UsageError, match="password: No such file"):
        Broker(settings(1, username="kiosk", password_file=missing), metrics)
