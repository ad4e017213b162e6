"""The kiosk's configuration file (TOML): MQTT, a hook, proxies, and a camera's address.

    camera = "rtsp://kiosk:password@192.168.1.20/live"    # as --camera, which everybody can see

    [mqtt]
    host = "broker.local"
    port = 8883                       # 1883 without tls = true
    device = "kiosk"                  # its topics begin with visavox/kiosk: one name for each kiosk
    username = "kiosk"
    password_file = "/etc/visavox/mqtt-password"
    tls = true
    ca_file = "/etc/ssl/certs/home.pem"
    discovery = "homeassistant"       # "" tells Home Assistant nothing

    [hook]
    command = ["/usr/local/bin/greet"]    # gets the decision as JSON on standard input; or
    url = "http://localhost:8123/api/webhook/greet"    # gets it by POST
    timeout_s = 5.0
    accept_replay_risk = true    # a photograph and a recording pass for the person

    [proxy]
    trusted = ["127.0.0.1"]      # as --trusted-proxy
    path_prefix = "/visavox"     # as --path-prefix

Every key has a default but for the host and one of command and url. An unknown key is refused, and
one that would do nothing without another: password_file without username, ca_file without tls.
Messages never show what a url, a password or a command's arguments hold.
"""

from __future__ import annotations

import ipaddress
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from edge_runtime.capture.camera import split_address
from edge_runtime.errors import UsageError
from edge_runtime.files import read_text

Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
# \Z, for $ matches before a line feed at the end as well.
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]+\Z")]
Argument = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]+\Z")]
DeviceName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,40}\Z")]
TopicPrefix = Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*)?\Z",
                                          max_length=100)]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """No unknown key."""


class MqttSettings(_Strict, frozen=True):
    """Where decisions are told, and as whom."""

    host: Text
    port: Port | None = None
    device: DeviceName = "kiosk"
    username: Text | None = None
    password_file: Text | None = None
    tls: bool = False
    ca_file: Text | None = None
    discovery: TopicPrefix = "homeassistant"

    def __post_init__(self) -> None:
        if not _is_host(self.host):
            raise ValueError("expected the name or the IP address of a host alone, found something "
                             "else; port, username and password_file are keys of their own")
        if self.password_file is not None and self.username is None:
            raise ValueError("expected username beside password_file, found none; add it, or leave "
                             "password_file out")
        if self.ca_file is not None and not self.tls:
            raise ValueError("expected tls = true beside ca_file, found none, so that all would go "
                             "in plain text; add it, or leave ca_file out")

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port or (8883 if self.tls else 1883)


class HookSettings(_Strict, frozen=True):
    """What runs for each decision."""

    command: Annotated[list[Argument], msgspec.Meta(min_length=1)] | None = None
    url: Text | None = None
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0
    accept_replay_risk: bool = False

    def __post_init__(self) -> None:
        if (self.command is None) == (self.url is None):
            raise ValueError("expected command or url, found both or neither")
        if self.url is not None:
            _check_url(self.url)


class ProxySettings(_Strict, frozen=True):
    """See visitors.py."""

    trusted: list[Text] = []
    path_prefix: str = ""


class Configuration(_Strict, frozen=True):
    """The whole file."""

    camera: Text | None = None
    mqtt: MqttSettings | None = None
    hook: HookSettings | None = None
    proxy: ProxySettings = ProxySettings()


def read_configuration(file: Path | None) -> Configuration:
    """The configuration in `file`, or an empty one. UsageError names the key at fault."""
    if file is None:
        return Configuration()
    text = read_text(file, "a configuration file", remedy="name another with --config")
    try:
        found = msgspec.convert(tomllib.loads(text), Configuration)
    except (tomllib.TOMLDecodeError, RecursionError, msgspec.ValidationError) as error:
        raise UsageError(f"{file}: {' '.join(str(error).split())}; "
                         "docs/how-to/home-assistant.md shows a whole file") from None
    if found == Configuration():
        raise UsageError(f"{file}: expected [mqtt], [hook] or camera, found none; fill it in, or "
                         "leave --config out")
    return found


def _is_host(text: str) -> bool:
    if ":" in text:
        try:
            return bool(ipaddress.IPv6Address(text))
        except ValueError:
            return False
    try:
        return len(text.encode("idna")) < 254 and all(
            letter.isalnum() or letter in ".-_" for letter in text)
    except UnicodeError:
        return False


def _check_url(url: str) -> None:
    """ValueError, which does not show the url: its path is often the secret of a webhook."""
    try:
        parts = split_address(url, ("http", "https"))
    except ValueError as error:
        raise ValueError(f"expected the url of a webhook, found {error}") from None
    if parts.fragment or not _is_host(parts.hostname or "") or not url.isascii() or " " in url:
        raise ValueError("expected a url of host, port, path and query, found a fragment (#), a "
                         "space or a letter beyond ASCII; write a space as %20 and so on")
