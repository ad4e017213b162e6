"""Who asks: from which address, by which name of the kiosk, and through which proxies.

What a request says of the way that it came (X-Forwarded-For, -Host, -Proto and -Prefix, Forwarded)
anybody can write, so it is believed of the proxies alone that the owner names. Whoever comes by
another one is not on this machine, whatever address the connection has.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from starlette.datastructures import Headers

from edge_runtime.errors import UsageError

if TYPE_CHECKING:
    from starlette.types import Scope

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_UNKNOWN = "unknown"
_BY_PROXY = ("forwarded", "via", "x-real-ip")  # and x-forwarded-...: a proxy is in the way
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_IN_FORWARDED = re.compile(r'(for|host|proto)=("[^"]*"|[^;,\s]*)', re.IGNORECASE)


@dataclass(frozen=True)
class Visitor:
    """Who asks. hosts: by which names they call the kiosk, the last one the outermost. path:
    without the prefix."""

    address: str
    local: bool
    hosts: tuple[str, ...]
    path: str = ""


@dataclass(frozen=True)
class Proxies:
    """Those that the owner names, and the prefix under which they show the kiosk ("" or /...)."""

    trusted: tuple[Network, ...] = ()
    prefix: str = ""

    @classmethod
    def of(cls, addresses: Iterable[str], prefix: str) -> Proxies:
        """UsageError for what is no address, no network and no prefix."""
        trusted = []
        for address in addresses:
            try:
                trusted.append(ipaddress.ip_network(address.strip(), strict=False))
            except ValueError:
                raise UsageError(f"--trusted-proxy {address}: expected an address (127.0.0.1) or a "
                                 "network (172.18.0.0/16) of proxies, found neither") from None
        if prefix and not _PREFIX.fullmatch(prefix.rstrip("/")):
            raise UsageError(f"--path-prefix {prefix}: expected a path such as /visavox, found "
                             "something else")
        return cls(tuple(trusted), prefix.rstrip("/"))

    def trust(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self.trusted)

    def seen(self, scope: Scope) -> Scope:
        """The request as its visitor made it, with who that is: see visitor_of."""
        headers = Headers(scope=scope)
        peer = scope["client"][0] if scope.get("client") else _UNKNOWN
        hosts = tuple(headers.getlist("host"))
        hosts = hosts if len(hosts) == 1 else ()
        by_proxy = any(name in _BY_PROXY or name.startswith("x-forwarded-") for name in headers)
        if not by_proxy:
            return _placed(scope, Visitor(peer, is_loopback(peer), hosts), self.prefix)
        if not self.trust(as_address(peer)):
            return _placed(scope, Visitor(f"{peer} by a proxy", False, hosts), self.prefix)
        told = _Told(headers)
        visitor = Visitor(self._nearest(told.hops), told.on_this_machine,
                          (*hosts, *told.first("x-forwarded-host", "host")))
        prefix = next(told.first("x-forwarded-prefix"), self.prefix).rstrip("/")
        scope = dict(scope, scheme=told.scheme(scope["scheme"]), headers=[
            *((name, value) for name, value in scope["headers"] if name != b"host"),
            *((b"host", host.encode("latin-1")) for host in visitor.hosts[-1:])])
        return _placed(scope, visitor, prefix if _PREFIX.fullmatch(prefix) else "")

    def _nearest(self, hops: list[Address | None]) -> str:
        """The first, from this side, that is no proxy of ours."""
        for hop in reversed(hops):
            if not self.trust(hop):
                return str(hop or _UNKNOWN)
        return str(hops[0] if hops else _UNKNOWN)


DIRECT = Proxies()


class _Told:
    """What a proxy that is believed says of the way of a request."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers
        self._forwarded = [(name.lower(), value.strip('"')) for name, value in
                           _IN_FORWARDED.findall(",".join(headers.getlist("forwarded")))]
        ours = [as_address(hop) for hop in self._words("x-forwarded-for")]
        theirs = [as_address(value) for name, value in self._forwarded if name == "for"]
        self.hops = ours or theirs
        # A proxy that writes one of the two may pass on the other as anybody wrote it.
        self.on_this_machine = bool(self.hops) and all(
            hop is not None and hop.is_loopback for hop in [*ours, *theirs])

    def _words(self, name: str) -> list[str]:
        return [word.strip() for line in self._headers.getlist(name) for word in line.split(",")]

    def first(self, header: str, part: str = "") -> Iterator[str]:
        """What the outermost proxy said, by either header; nothing where none did."""
        words = self._words(header) or [value for name, value in self._forwarded if name == part]
        yield from words[:1]

    def scheme(self, otherwise: str) -> str:
        """As ASGI has it: of a WebSocket ws or wss."""
        told = next(self.first("x-forwarded-proto", "proto"), "").lower()
        secure = {"https": "s", "wss": "s", "http": "", "ws": ""}.get(told)
        kind = "ws" if otherwise.startswith("ws") else "http"
        return otherwise if secure is None else kind + secure


def _placed(scope: Scope, visitor: Visitor, prefix: str) -> Scope:
    """Under the prefix, whether or not the proxy has taken it off."""
    path, raw = scope["path"], scope.get("raw_path") or scope["path"].encode()
    if path == prefix or path.startswith(f"{prefix}/"):
        path, raw = path[len(prefix):], raw[len(prefix):]
    return dict(scope, path=prefix + path, raw_path=prefix.encode() + raw, root_path=prefix,
                visitor=replace(visitor, path=path))


def visitor_of(scope: Scope) -> Visitor:
    """Who asks; put there by Proxies.seen."""
    return cast(Visitor, scope["visitor"])


def as_address(text: str) -> Address | None:
    """An IP address, also one with a port, a zone or in brackets, as proxies write it."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def is_loopback(address: str) -> bool:
    """Whether an IP address, or a name, is this machine's own."""
    found = as_address(address)
    return address == "localhost" if found is None else found.is_loopback


def household(address: str) -> str:
    """Whom an address stands for: of IPv6 anybody has a whole /64."""
    found = as_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return address
