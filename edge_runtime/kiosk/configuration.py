"""The kiosk's configuration file (TOML), for what goes on elsewhere: an MQTT broker, a hook.

    [mqtt]
    host = "broker.local"
    port = 1883                       # 8883 with tls = true
    device = "kiosk"                  # its topics begin with visavox/kiosk
    username = "kiosk"
    password_file = "/etc/visavox/mqtt-password"
    tls = false
    ca_file = "/etc/ssl/certs/home.pem"
    discovery = "homeassistant"       # "" tells Home Assistant nothing

    [hook]
    command = ["/usr/local/bin/greet"]    # gets the decision as JSON on standard input; or
    url = "http://localhost:8123/api/webhook/greet"    # gets it by POST
    timeout_s = 5.0
    accept_replay_risk = true    # a photograph and a recording pass for the person

Every key has a default but for the host and one of command and url. An unknown key is refused.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from edge_runtime.errors import UsageError

Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """No unknown key."""


class MqttSettings(_Strict, frozen=True):
    """Where decisions are told, and as whom."""

    host: Text
    port: Port | None = None
    device: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,40}$")] = "kiosk"
    username: str | None = None
    password_file: str | None = None
    tls: bool = False
    ca_file: str | None = None
    discovery: Annotated[str, msgspec.Meta(pattern="^[^#+]*$")] = "homeassistant"


class HookSettings(_Strict, frozen=True):
    """What runs for each decision."""

    command: Annotated[list[Text], msgspec.Meta(min_length=1)] | None = None
    url: str | None = None
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0
    accept_replay_risk: bool = False

    def __post_init__(self) -> None:
        if (self.command is None) == (self.url is None):
            raise ValueError("expected command or url, found both or neither")
        if self.url is not None:
            parts = urlsplit(self.url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("expected a url that begins with http:// or https://")


class Configuration(_Strict, frozen=True):
    """The whole file."""

    mqtt: MqttSettings | None = None
    hook: HookSettings | None = None


def read_configuration(file: Path | None) -> Configuration:
    """The configuration in `file`, or an empty one. UsageError names the key at fault."""
    if file is None:
        return Configuration()
    try:
        with file.open("rb") as opened:
            return msgspec.convert(tomllib.load(opened), Configuration)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{file}: {error}; edge_runtime/kiosk/configuration.py shows a whole "
                         "file") from None
    except OSError as error:
        raise UsageError(f"{file}: expected a configuration file, found {error.strerror}; name "
                         "another with --config") from None
