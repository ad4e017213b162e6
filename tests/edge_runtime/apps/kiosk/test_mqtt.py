"""Decisions to a real broker: told, told after the broker was away, and bounded."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_runtime.apps.kiosk import mqtt
from edge_runtime.apps.kiosk.configuration import MqttSettings
from edge_runtime.apps.kiosk.events import DecisionEvent, State
from edge_runtime.apps.kiosk.metrics import Metrics
from edge_runtime.apps.kiosk.mqtt import Broker
from edge_runtime.decision.decide import Decision
from edge_runtime.errors import UsageError
from tests.edge_runtime.apps.kiosk.stand_ins import wait_until


class Mosquitto:
    """A real broker that can be killed and started again, and a client that notes what it says.

    The broker keeps who has subscribed: the client may come back later than the kiosk, whose
    messages nobody would hear.
    """

    def __init__(self, program: str, folder: Path, more: str = "allow_anonymous true\n") -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._command = [program, "-c", str(folder / "mosquitto.conf")]
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\n{more}user root\n"
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

    def start_alone(self) -> None:
        """Without the client that notes."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL)
        wait_until(self._answers)

    def start(self) -> None:
        self.start_alone()
        self._subscribed.clear()
        if self._client.is_connected() is False and not self.received:
            self._client.connect("127.0.0.1", self.port)
            self._client.loop_start()
        assert self._subscribed.wait(15)

    def hang(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

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
def program() -> str:
    found = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip("mosquitto is not installed (Debian: apt install mosquitto)")
    return found


@pytest.fixture
def broker(program: str, tmp_path: Path) -> Iterator[Mosquitto]:
    found = Mosquitto(program, tmp_path)
    found.start()
    yield found
    found.stop()


def decided(person: str | None) -> DecisionEvent:
    scores = {"fused": np.array([0.9], np.float32)}
    return DecisionEvent(Decision(person, "accepted", (person or "x",), scores, ms={"detect": 1.0}),
                         "2026-01-01T00:00:00.000+00:00")


DECISION, AVAILABILITY = "visavox/door/decision", "visavox/door/availability"
LATE = "visavox/door/late"


def settings(port: int, **changes: Any) -> MqttSettings:
    return MqttSettings(**{"host": "127.0.0.1", "port": port, "device": "door"} | changes)


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
    # With availability, the last decision would count as a new one when the kiosk is back.
    assert sensor["state_topic"] == DECISION and "availability_topic" not in sensor
    assert sensor["value_template"] == "{{ value_json.label }}" and first["label"] == "Anna"
    assert second["label"] == "nobody"
    assert sensor["unique_id"] == "visavox_door_decision" and sensor["device"]["identifiers"]
    [found] = broker.said("homeassistant/binary_sensor/visavox_door/presence/config")
    presence = json.loads(found)
    assert presence["device"] == sensor["device"]
    assert presence["state_topic"] == "visavox/door/state"
    assert presence["availability_topic"] == AVAILABILITY


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


class Clock:
    """Shows what a test sets."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


@pytest.mark.parametrize(("state", "told"), [("idle", []), ("known", ["Ben"])])
def test_after_an_outage_only_who_is_still_there_is_told_as_being_there(
    broker: Mosquitto, metrics: Metrics, monkeypatch: pytest.MonkeyPatch, state: State,
    told: list[str],
) -> None:
    monkeypatch.setattr(mqtt, "_LAST_RETRY_S", 1)
    clock = Clock()
    with Broker(settings(broker.port), metrics, clock) as kiosk:
        wait_until(lambda: broker.said(AVAILABILITY))
        broker.kill()
        wait_until(lambda: kiosk.status.state == "missing")
        for person in ("Anna", "Zoe", "Ben"):
            kiosk.decided(decided(person))
        kiosk.forgotten("Zoe")
        kiosk.state(state)
        clock.s += 3600
        broker.start()
        wait_until(lambda: kiosk.status.state == "ok", 20)
        kiosk.decided(decided("now"))
        wait_until(lambda: len({*broker.said(DECISION)}) > len(told), 20)
        wait_until(lambda: len({*broker.said(LATE)}) == 2 - len(told))
    assert {json.loads(content)["person"] for content in broker.said(DECISION)} == {*told, "now"}
    late = {found["person"]: found["late_s"] for found in map(json.loads, broker.said(LATE))}
    assert late == {person: 3600 for person in ("Anna", "Ben") if person not in told}


def test_two_kiosks_of_one_name_stay_connected_and_say_so(
    broker: Mosquitto, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = (Broker(settings(broker.port), metrics) for _ in range(2))
    with one:
        wait_until(lambda: one.status.state == "ok")
        with other:
            for kiosk in (one, other):
                wait_until(lambda kiosk=kiosk: kiosk.status.state == "shared")
                assert 'device = "door" too' in kiosk.status.message
                kiosk.decided(decided("Anna"))
            wait_until(lambda: len(broker.said(DECISION)) == 2)
            assert "lost" not in caplog.text and "give each kiosk a device" in caplog.text
        # The other one's goodbye is not this one's.
        wait_until(lambda: one.status.state == "ok")
        wait_until(lambda: broker.said(AVAILABILITY)[-2:] == ["offline", "online"])
    wait_until(lambda: broker.said(AVAILABILITY)[-1] == "offline")


def test_a_kiosk_that_is_started_again_is_not_taken_for_another(
    broker: Mosquitto, metrics: Metrics
) -> None:
    for number in (1, 2):
        with Broker(settings(broker.port), metrics) as kiosk:
            wait_until(lambda number=number: len({*broker.said("visavox/door/id")}) == number)
            kiosk.decided(decided("Anna"))  # what the broker says of the id has come by then
            wait_until(lambda number=number: len(broker.said(DECISION)) == number)
            assert kiosk.status.state == "ok"


@contextmanager
def answering(reply: bytes) -> Iterator[int]:
    """The port of another service: it says something of its own, or nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def answer() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    held.append(connection)
                    connection.recv(1000)
                    if reply:
                        connection.sendall(reply)
                        connection.close()

        held: list[socket.socket] = []
        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("reply", [
    b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"\x20\x02", b""])
def test_another_service(
    metrics: Metrics, caplog: pytest.LogCaptureFixture, reply: bytes, tls: bool
) -> None:
    with answering(reply) as port, Broker(settings(port, tls=tls), metrics) as kiosk:
        wait_until(lambda: kiosk.status.state != "starting", 10)
        assert kiosk.status.state in ("stalled", "untrusted", "missing"), kiosk.status
        assert f"the MQTT broker 127.0.0.1:{port}: " in kiosk.status.message
        assert "in [mqtt]" in kiosk.status.message and kiosk.status.message in caplog.text
        assert b"visavox_mqtt_connected 0.0" in metrics.text()


@pytest.mark.parametrize(("host", "said"), [
    ("127.0.0.1", "Connection refused; start it, or correct host and port"),
    ("no-such-broker.invalid", "no such host is known; correct host")])
def test_no_broker(
    metrics: Metrics, caplog: pytest.LogCaptureFixture, host: str, said: str
) -> None:
    with Broker(settings(1, host=host), metrics) as kiosk:
        wait_until(lambda: kiosk.status.state == "missing", 10)
        assert said in kiosk.status.message and kiosk.status.message in caplog.text
        time.sleep(3.5)  # it is tried again
        assert caplog.text.count(said) == 1
    assert kiosk.status.state == "closed"


def test_a_name_server_that_hangs(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    awake = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: awake.wait(20) and [])
    monkeypatch.setattr(mqtt, "SAID_WITHIN_S", 0.2)
    with Broker(settings(1, host="slow.invalid"), metrics) as kiosk:
        wait_until(lambda: kiosk.status.state == "stalled")
        assert "no answer; correct host and port" in kiosk.status.message
        awake.set()


def test_a_user_that_is_refused(
    program: str, tmp_path: Path, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "users").write_text("")
    (tmp_path / "password").write_text("top-secret\n")
    refusing = Mosquitto(program, tmp_path, "allow_anonymous false\n"
                                            f"password_file {tmp_path}/users\n")
    refusing.start_alone()
    try:
        with Broker(settings(refusing.port, username="kiosk",
                             password_file=str(tmp_path / "password")), metrics) as kiosk:
            wait_until(lambda: kiosk.status.state == "denied")
            assert "correct username and password_file" in kiosk.status.message
            time.sleep(1)  # the broker ends the connection, which is no news
            assert kiosk.status.state == "denied" and "secret" not in caplog.text
    finally:
        refusing.kill()


@pytest.fixture
def certificate(tmp_path: Path) -> str:
    """Of localhost alone."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                    str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")], check=True,
                   capture_output=True)
    return str(tmp_path / "cert.pem")


def test_certificates(
    program: str, certificate: str, tmp_path: Path, metrics: Metrics
) -> None:
    encrypted = Mosquitto(program, tmp_path, f"allow_anonymous true\ncertfile {certificate}\n"
                                             f"keyfile {tmp_path}/key.pem\n")
    marked = tmp_path / "marked.pem"
    marked.write_bytes(b"\xef\xbb\xbf" + Path(certificate).read_bytes())
    encrypted.start_alone()
    try:
        for changes, state, said in (
                ({"tls": True, "host": "localhost", "ca_file": certificate}, "ok", "is told"),
                ({"tls": True, "host": "localhost", "ca_file": str(marked)}, "ok", "is told"),
                ({"tls": True, "host": "localhost"}, "untrusted", "not trusted (self"),
                ({"tls": True, "ca_file": certificate}, "untrusted", "not trusted (IP address mis"),
                ({}, "stalled", "correct port and tls")):
            with Broker(settings(encrypted.port, **changes), metrics) as kiosk:
                wait_until(lambda kiosk=kiosk: kiosk.status.state != "starting")
                assert (kiosk.status.state, said in kiosk.status.message) == (state, True), (
                    kiosk.status)
    finally:
        encrypted.kill()


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\x30\x82\xff"])
def test_a_ca_file_that_is_none(metrics: Metrics, tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=r"ca.pem: expected a certificate \(PEM\)"):
        Broker(settings(1, tls=True, ca_file=str(file)), metrics)


def test_a_broker_that_hangs_is_missed_and_holds_no_end_up(
    broker: Mosquitto, metrics: Metrics
) -> None:
    with Broker(settings(broker.port), metrics) as kiosk:
        wait_until(lambda: kiosk.status.state == "ok")
        broker.hang()
        kiosk.decided(decided("Anna"))
        wait_until(lambda: kiosk.status.state in ("missing", "stalled"), 60)
        ending_s = time.monotonic()
    assert time.monotonic() - ending_s < 5


def test_a_password_file_that_is_missing(metrics: Metrics, tmp_path: Path) -> None:
    missing = str(tmp_path / "password")
    with pytest.raises(UsageError, match="password: expected a password, found No such file"):
        Broker(settings(1, username="kiosk", password_file=missing), metrics)
