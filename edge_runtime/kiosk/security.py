"""Who may ask: hosts, origins, addresses; and the headers that every answer has.

- Host: a name that the kiosk is known by, or a page elsewhere could reach it under a name of its
  own (DNS rebinding).
- Origin, where a browser says it: the kiosk's own; the same for Sec-Fetch-Site.
- The camera's picture goes to the kiosk's own page on this machine, and nowhere else.
- Other machines need the token for everything but the pages and /healthz.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
OPEN_TO_ALL = ("/", "/page", "/phone", "/healthz")
CAMERA = "/camera.mjpg"
_OWN_PAGES = ("same-origin", "none")  # Sec-Fetch-Site; none: typed into the address bar

# wasm-unsafe-eval, blob: and COEP are what the phone page needs for LiteRT.js and its threads.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; "
        "img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def is_loopback(address: str) -> bool:
    """Whether an IP address, or a name, is this machine's own."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address == "localhost"
    mapped = getattr(known, "ipv4_mapped", None)
    return (mapped or known).is_loopback


class Guard:
    """ASGI middleware for HTTP and WebSockets. hosts: the names that this kiosk answers to."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower().strip("[]") for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if refusal := self._refusal(scope):
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": refusal})
            else:
                await JSONResponse({"detail": refusal}, 403)(scope, receive, _with_headers(
                    scope, send))
            return
        await self._app(scope, receive, _with_headers(scope, send))

    def _refusal(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _host_name(hosts[0]) not in self._hosts:
            return "expected one of this kiosk's own names as the Host; --allow-host adds one"
        scheme = {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"])
        origins = headers.getlist("origin")
        if origins and [origin.lower() for origin in origins] != [f"{scheme}://{hosts[0].lower()}"]:
            return "expected this kiosk's own pages as the Origin"
        site = headers.get("sec-fetch-site", "none")
        navigates = headers.get("sec-fetch-mode") == "navigate" and scope.get("method") == "GET"
        if site not in _OWN_PAGES and not navigates:
            return "expected this kiosk's own pages to ask"
        if scope["path"] == CAMERA and not (is_local(scope) and site == "same-origin"):
            return "the camera's picture is for this kiosk's own page, on its own screen"
        return None


def is_local(scope: Scope) -> bool:
    """Whether who asks is on this machine."""
    client = scope.get("client")
    return client is not None and is_loopback(client[0])


def _host_name(host: str) -> str | None:
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # ValueError where it is none
    except ValueError:
        return None
    plain = not (parts.path or parts.query or parts.fragment or "@" in host)
    return parts.hostname if plain else None


def _with_headers(scope: Scope, send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if scope["path"].startswith("/api"):
                headers.setdefault("Cache-Control", "no-store")
            elif scope["path"].startswith(("/page/", "/phone/")):
                headers.setdefault("Cache-Control", "no-cache")  # or an update comes in pieces
            if scope["scheme"] == "https":
                headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        await send(message)

    return sent
