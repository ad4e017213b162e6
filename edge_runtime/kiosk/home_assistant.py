"""What Home Assistant is told of a kiosk, by its discovery over MQTT.

https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from edge_runtime import __version__
from edge_runtime.kiosk.configuration import MqttSettings

NOBODY = "nobody"
# What Home Assistant takes for something else than a name, or people would: of its states and
# payloads, and what the kiosk says itself.
RESERVED = frozenset({"", NOBODY, "unknown", "unavailable", "none", "null", "online", "offline",
                      "home", "not_home", "on", "off", "true", "false"})
_LONGEST = 200  # characters; a state of Home Assistant has at most 255
_UNSEEN = ("Cc", "Cs", "Zl", "Zp")  # joiners (Cf) belong to Persian and Indian names
_BIDIRECTIONAL = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def plain(name: str) -> str:
    """A name without characters that steer a terminal or a reader; a whole name stays as it is."""
    return "".join("\ufffd" if unicodedata.category(letter) in _UNSEEN or letter in _BIDIRECTIONAL
                   else letter for letter in name)[:_LONGEST]


def label(person: str | None) -> str:
    """The state of the sensor: the name, in quotes where it could be taken for another state."""
    if person is None:
        return NOBODY
    name = plain(person)
    return f'"{name}"' if name.strip().casefold() in RESERVED else name


def discovery(
    settings: MqttSettings, topic: Callable[[str], str]
) -> dict[str, dict[str, Any]]:
    """Topics and contents; none where nothing is to be told."""
    device = settings.device
    shared = {"device": {"identifiers": [f"visavox_{device}"], "name": f"Visavox {device}",
                         "model": "kiosk", "sw_version": __version__}}
    sensors = {
        # Without availability: on its return, the last decision would count as a new one.
        "sensor": ("decision", {
            "name": "Last decision", "state_topic": topic("decision"),
            "value_template": "{{ value_json.label }}",
            "json_attributes_topic": topic("decision")}),
        "binary_sensor": ("presence", {
            "name": "Somebody there", "state_topic": topic("state"),
            "availability_topic": topic("availability"), "device_class": "occupancy",
            "value_template": "{{ 'OFF' if value == 'idle' else 'ON' }}"})}
    prefix = settings.discovery
    return {f"{prefix}/{kind}/visavox_{device}/{name}/config":
            {"unique_id": f"visavox_{device}_{name}", **own, **shared}
            for kind, (name, own) in sensors.items()} if prefix else {}
