"""What Home Assistant is told of a kiosk, by its discovery over MQTT; and how the connection to the
broker is.

https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
"""

from __future__ import annotations

import socket
import ssl
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from edge_runtime import __version__
from edge_runtime.apps.kiosk.configuration import MqttSettings
from edge_runtime.errors import UsageError
from edge_runtime.files import read_text

LinkState = Literal[
    "starting", "ok",
    "missing",    # cannot be reached
    "stalled",    # reached, or not even that, and nothing comes back
    "untrusted",  # no TLS there, or a certificate that this kiosk does not trust
    "denied",     # refuses the user, the password, or the kiosk
    "shared",     # works, but another kiosk tells under the same device name
    "closed"]


@dataclass(frozen=True)
class Link:
    """How the connection is. message: one line, with what to do unless all is well."""

    state: LinkState
    message: str


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Trusts what `ca_file` holds, or what the system does. UsageError for a file that is none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file is None:
        context.load_default_certs()
        return context
    text = read_text(ca_file, "a certificate (PEM)")
    try:
        context.load_verify_locations(cadata=text.encode("ascii", "replace").decode())
    except (ssl.SSLError, ValueError):
        raise UsageError(f"{ca_file}: expected a certificate (PEM), found none; name the "
                         "one that signed the broker's as ca_file in [mqtt]") from None
    return context


def why_not(error: Exception) -> tuple[LinkState, str]:
    """What is wrong with a connection that was not made, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message.rstrip(".")
        return "untrusted", (f"its certificate is not trusted ({said}); name the one that signed "
                             "it as ca_file in [mqtt], and the host as it names itself")
    if isinstance(error, ssl.SSLError | ConnectionResetError):
        return "untrusted", "it does not speak TLS as expected; correct port and tls in [mqtt]"
    if isinstance(error, socket.gaierror | UnicodeError):
        return "missing", ("no such host is known; correct host in [mqtt], or the network's name "
                           "server")
    said = "no answer" if isinstance(error, TimeoutError) else (
        getattr(error, "strerror", None) or str(error))
    return "missing", f"{said}; start it, or correct host and port in [mqtt]"


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
