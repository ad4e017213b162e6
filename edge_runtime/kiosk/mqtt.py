"""Decisions to an MQTT broker, and to Home Assistant by its discovery.

While the broker is away, decisions wait in paho's queue and are sent when it is back, at least
once each (quality of service 1). They are not retained: a broker would keep the name of somebody
who was forgotten here. What is retained holds no name.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from edge_runtime import __version__
from edge_runtime.errors import UsageError
from edge_runtime.kiosk.configuration import MqttSettings
from edge_runtime.kiosk.messages import Decided, State
from edge_runtime.kiosk.metrics import Metrics

QUEUE = 1000  # decisions that wait for the broker
_FIRST_RETRY_S, _LAST_RETRY_S = 1, 30
_KEEP_ALIVE_S = 30
_GOODBYE_S = 1.0

log = logging.getLogger("visavox.kiosk")


class Broker:
    """The connection to a broker: made and made again in a thread of its own.

    A context manager; UsageError for a password or certificate file that cannot be read.
    """

    def __init__(self, settings: MqttSettings, metrics: Metrics) -> None:
        self._settings, self._metrics = settings, metrics
        self._prefix = f"visavox/{settings.device}"
        self._state: State = "idle"
        self._client = paho.Client(CallbackAPIVersion.VERSION2, f"visavox-{settings.device}")
        self._client.max_queued_messages_set(QUEUE)
        self._client.reconnect_delay_set(_FIRST_RETRY_S, _LAST_RETRY_S)
        self._client.will_set(self._topic("availability"), "offline", qos=1, retain=True)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        try:
            self._authenticate()
        except OSError as error:
            raise UsageError(f"{error.filename}: {error.strerror}; [mqtt] expects a file that can "
                             "be read") from None

    def __enter__(self) -> Broker:
        port = self._settings.port or (8883 if self._settings.tls else 1883)
        self._client.connect_async(self._settings.host, port, _KEEP_ALIVE_S)
        self._client.loop_start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._client.is_connected():
            said = self._client.publish(self._topic("availability"), "offline", 1, retain=True)
            said.wait_for_publish(_GOODBYE_S)
        self._client.disconnect()
        self._client.loop_stop()

    def decided(self, found: Decided) -> None:
        """Tells a decision, now or when the broker is back; never waits."""
        content = {key: value for key, value in found.message().items() if key != "type"}
        sent = self._client.publish(self._topic("decision"), json.dumps(content), qos=1)
        if sent.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            self._metrics.mqtt_dropped.inc()
            log.warning("the MQTT queue is full: a decision is dropped")

    def state(self, state: State) -> None:
        """Tells a state, where it is another one than before."""
        if state != self._state:
            self._state = state
            self._client.publish(self._topic("state"), state, retain=True)

    def _authenticate(self) -> None:
        settings = self._settings
        if settings.username is not None:
            password = (Path(settings.password_file).read_text().strip()
                        if settings.password_file else None)
            self._client.username_pw_set(settings.username, password)
        if settings.tls:
            self._client.tls_set(ca_certs=settings.ca_file)

    def _connected(
        self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            log.warning("the MQTT broker refuses: %s", reason)
            return
        self._metrics.mqtt_connected.set(1)
        for topic, content in self._discovery().items():
            client.publish(topic, json.dumps(content), qos=1, retain=True)
        client.publish(self._topic("availability"), "online", qos=1, retain=True)
        client.publish(self._topic("state"), self._state, retain=True)

    def _disconnected(
        self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        self._metrics.mqtt_connected.set(0)
        if reason.is_failure:
            log.warning("the MQTT broker is away: %s", reason)

    def _topic(self, name: str) -> str:
        return f"{self._prefix}/{name}"

    def _discovery(self) -> dict[str, dict[str, Any]]:
        """Topics and contents: https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery"""
        device = self._settings.device
        shared = {
            "availability_topic": self._topic("availability"),
            "device": {"identifiers": [f"visavox_{device}"], "name": f"Visavox {device}",
                       "model": "kiosk", "sw_version": __version__}}
        sensors = {
            "sensor": ("decision", {
                "name": "Last decision", "state_topic": self._topic("decision"),
                "value_template": "{{ value_json.person or 'nobody' }}",
                "json_attributes_topic": self._topic("decision")}),
            "binary_sensor": ("presence", {
                "name": "Somebody there", "state_topic": self._topic("state"),
                "device_class": "occupancy",
                "value_template": "{{ 'OFF' if value == 'idle' else 'ON' }}"})}
        prefix = self._settings.discovery
        return {f"{prefix}/{kind}/visavox_{device}/{name}/config":
                {"unique_id": f"visavox_{device}_{name}", **own, **shared}
                for kind, (name, own) in sensors.items()} if prefix else {}
