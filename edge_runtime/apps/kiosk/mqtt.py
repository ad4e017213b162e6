"""Decisions to an MQTT broker, and to Home Assistant by its discovery.

What is told on visavox/<device>/decision holds now. A decision that the broker could not be told
within FRESH_S waits, and is told on visavox/<device>/late with its age, unless whoever it is of
is still there. Each is told at least once (quality of service 1), and none is retained: a broker
would keep the name of somebody who was forgotten here. What is retained holds no name.

Each process has a client id of its own, so that two kiosks never throw each other out, not even
where one is a copy of the other's card. Kiosks of one device name notice each other: each tells
its id on visavox/<device>/id, and answers one that it has not heard before.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge_runtime.apps.kiosk.configuration import MqttSettings
from edge_runtime.apps.kiosk.events import FRESH_S, JUDGED, DecisionEvent, State
from edge_runtime.apps.kiosk.home_assistant import (
    Link,
    LinkState,
    discovery,
    label,
    plain,
    tls_context,
    why_not,
)
from edge_runtime.apps.kiosk.metrics import Metrics
from edge_runtime.files import read_secret

QUEUE = 1000  # decisions that wait for the broker
SAID_WITHIN_S = 8.0  # what is wrong; 10 s are promised
_FIRST_RETRY_S, _LAST_RETRY_S = 1.0, 30.0
_CONNECT_S, _ANSWER_S = 3.0, 4.0
_KEEP_ALIVE_S = 4  # a broker whose cable is pulled out is missed after twice as long
_GOODBYE_S = 1.0
_OTHERS = 100  # ids of other kiosks that are answered

log = logging.getLogger("visavox.kiosk")


@dataclass
class _Waiting:
    """A decision that the broker has not confirmed. sent: of this connection."""

    event: DecisionEvent
    at_s: float
    sent: paho.MQTTMessageInfo | None = None

    @property
    def confirmed(self) -> bool:
        try:
            return self.sent is not None and self.sent.is_published()
        except (ValueError, RuntimeError):  # paho's words for: it could not be sent
            return False


class Broker:
    """The connection to a broker: made and made again in a thread of its own.

    A context manager; UsageError for a password or certificate file that cannot be read.
    """

    def __init__(
        self, settings: MqttSettings, metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._metrics, self._clock = settings, metrics, clock
        self._id = f"visavox-{settings.device}-{secrets.token_hex(4)}"
        self._where = f"the MQTT broker {'{}:{}'.format(*settings.address)}"
        self._password = (read_secret(Path(settings.password_file), "a password")
                          if settings.password_file else None)
        ca_file = Path(settings.ca_file) if settings.ca_file else None
        self._tls = tls_context(ca_file) if settings.tls else None
        self._lock = threading.RLock()  # guards all that follows
        self._link = Link("starting", f"{self._where} is being asked")
        self._state: State = "idle"
        self._waiting: deque[_Waiting] = deque()
        self._others: set[str] = set()
        self._client: paho.Client | None = None  # while the broker takes messages
        self._answered, self._over, self._stop = (threading.Event() for _ in range(3))
        self._thread = threading.Thread(target=self._run, name="visavox mqtt", daemon=True)

    def __enter__(self) -> Broker:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        with self._lock:
            client, self._client = self._client, None  # its own "offline" is not contradicted
        if client is not None:
            said = client.publish(self._topic("availability"), "offline", 1, retain=True)
            with contextlib.suppress(ValueError, RuntimeError):  # it is away just now
                said.wait_for_publish(_GOODBYE_S)
        self._over.set()
        self._answered.set()
        self._thread.join(_GOODBYE_S)
        self._link = Link("closed", f"{self._where} is not told any more")

    @property
    def status(self) -> Link:
        return self._link

    def decided(self, event: DecisionEvent) -> None:
        """Tells a decision, now or when the broker is back; never waits."""
        with self._lock:
            self._drop_confirmed()
            if len(self._waiting) >= QUEUE:
                self._waiting.popleft()
                self._metrics.mqtt_dropped.inc()
                log.warning("the MQTT queue is full: the oldest decision is dropped")
            self._waiting.append(_Waiting(event, self._clock()))
            if self._client:
                self._send(self._waiting[-1], self._client)

    def state(self, state: State) -> None:
        """Tells a state, where it is another one than before."""
        with self._lock:
            if state != self._state:
                self._state = state
                if self._client:
                    self._client.publish(self._topic("state"), state, retain=True)

    def forgotten(self, person: str) -> None:
        """What waits and names them is not told any more."""
        with self._lock:
            self._waiting = deque(waiting for waiting in self._waiting
                                  if person not in waiting.event.names)

    def _run(self) -> None:
        retry_s = _FIRST_RETRY_S
        while not self._stop.is_set():
            was_there = self._connect_once()
            retry_s = _FIRST_RETRY_S if was_there else min(2 * retry_s, _LAST_RETRY_S)
            self._stop.wait(retry_s)

    def _connect_once(self) -> bool:
        """One connection, from its beginning to its end. Returns whether the broker took it."""
        self._answered.clear()
        self._over.clear()
        client = self._made_client()
        slow = threading.Timer(SAID_WITHIN_S, self._unanswered)
        slow.daemon = True
        slow.start()
        try:
            client.connect(*self._settings.address, _KEEP_ALIVE_S)
            client.loop_start()
            if not self._answered.wait(_ANSWER_S):
                self._say("stalled", "it takes the connection and does not answer as an MQTT "
                                     "broker does; correct port in [mqtt]")
        except (OSError, ValueError) as error:
            self._say(*why_not(error))
        finally:
            slow.cancel()
        taken = self._client is client
        if taken and not self._stop.is_set():
            self._over.wait()
        client.disconnect()
        client.loop_stop()
        return taken

    def _unanswered(self) -> None:
        with self._lock:
            if not self._answered.is_set():
                self._say("stalled", "no answer; correct host and port in [mqtt], or start it")

    def _made_client(self) -> paho.Client:
        """A new one for each connection: paho would send again, as new, what an old one held."""
        client = paho.Client(CallbackAPIVersion.VERSION2, self._id, reconnect_on_failure=False)
        client.connect_timeout = _CONNECT_S
        if self._settings.username is not None:
            client.username_pw_set(self._settings.username, self._password)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        client.will_set(self._topic("availability"), "offline", qos=1, retain=True)
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_message = self._heard
        return client

    def _connected(
        self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        with self._lock:
            self._answered.set()
            if reason.is_failure:
                self._say("denied", f"it refuses the kiosk ({reason}); correct username and "
                                    "password_file in [mqtt], or the broker's users")
            elif not self._stop.is_set():
                self._client = client
                self._metrics.mqtt_connected.set(1)
                self._say("ok", "it is told")
                self._introduce(client)

    def _introduce(self, client: paho.Client) -> None:
        """All that a broker is told first; to be called with the lock held."""
        client.subscribe([(self._topic("id"), 1), (self._topic("availability"), 1)])
        for topic, content in discovery(self._settings, self._topic).items():
            client.publish(topic, json.dumps(content), qos=1, retain=True)
        self._drop_confirmed()
        for waiting in self._waiting:
            self._send(waiting, client)
        self._say_here(client)
        client.publish(self._topic("state"), self._state, retain=True)

    def _say_here(self, client: paho.Client) -> None:
        client.publish(self._topic("availability"), "online", qos=1, retain=True)
        client.publish(self._topic("id"), self._id, qos=1)

    def _disconnected(
        self, client: paho.Client, _data: Any, _flags: Any, _reason: Any, _properties: Any
    ) -> None:
        self._metrics.mqtt_connected.set(0)
        with self._lock:
            if self._client is client:
                self._client = None
                self._others.clear()
                self._say("missing", "the connection is lost; it is tried again")
            elif not self._answered.is_set():
                self._say("stalled", "it ends the connection and does not answer as an MQTT broker "
                                     "does; correct port and tls in [mqtt]")
            self._answered.set()
        self._over.set()

    def _heard(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        """Of this kiosk's name: what this process has not said, another one has."""
        text = message.payload[:200].decode(errors="replace")
        with self._lock:
            if self._client is not client or message.retain:
                return  # what is retained may be of long ago
            if message.topic == self._topic("availability"):
                if text == "offline":  # of another kiosk, or the last word of a lost connection
                    self._others.clear()
                    self._say("ok", "it is told")
                    self._say_here(client)
            elif text != self._id:
                self._say("shared", "another kiosk tells it things as device = "
                                    f'"{self._settings.device}" too; give each kiosk a device of '
                                    "its own in [mqtt]")
                if text not in self._others and len(self._others) < _OTHERS:
                    self._others.add(text)
                    client.publish(self._topic("id"), self._id, qos=1)

    def _send(self, waiting: _Waiting, client: paho.Client) -> None:
        """To be called with the lock held."""
        age_s = self._clock() - waiting.at_s
        still_there = waiting is self._waiting[-1] and self._state in JUDGED
        late = age_s > FRESH_S and not still_there
        content = _content(waiting.event) | ({"late_s": round(age_s)} if late else {})
        waiting.sent = client.publish(self._topic("late" if late else "decision"),
                                      json.dumps(content), qos=1)

    def _drop_confirmed(self) -> None:
        self._waiting = deque(found for found in self._waiting if not found.confirmed)

    def _say(self, state: LinkState, message: str) -> None:
        """Once for each change, or every attempt would be a line of the log."""
        link = Link(state, f"{self._where}: {message}")
        with self._lock:
            changed, self._link = link != self._link, link
        if changed:
            log.log(logging.INFO if state == "ok" else logging.WARNING, "%s", link.message)

    def _topic(self, name: str) -> str:
        return f"visavox/{self._settings.device}/{name}"


def _content(event: DecisionEvent) -> dict[str, Any]:
    """A decision as a broker is told it."""
    told, person = event.message(), event.decision.person
    return {"person": None if person is None else plain(person), "label": label(person),
            "confidence": told["confidence"], "reason": told["reason"],
            "scores": [{"person": plain(each["person"]), "score": each["score"]}
                       for each in told["scores"]], "ms": told["ms"], "time": told["time"]}
