"""Which requests are taken: hosts, origins, addresses, sizes; and the headers of every answer.

- Host: a name that the kiosk is known by, or a page elsewhere could reach it under a name of its
  own (DNS rebinding).
- Origin, where a browser says it: the kiosk's own; the same for Sec-Fetch-Site.
- The camera's picture goes to the kiosk's own page on this machine, and nowhere else.
- Other machines, and whoever comes by a proxy, need the token for everything but the pages and
  /healthz (access.py).
- How large a request may be, and how long its body may take, is asked before anything reads it.
"""

from __future__ import annotations

import asyncio
import logging
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from edge_runtime.apps.kiosk.visitors import Proxies, Visitor, visitor_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
CAMERA = "/camera.mjpg"
MAX_HEADERS, MAX_HEADER_BYTES = 100, 16 * 1024
_OWN_PAGES = ("same-origin", "none")  # Sec-Fetch-Site; none: typed into the address bar

log = logging.getLogger("visavox.kiosk")

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


class Guard:
    """ASGI middleware for HTTP and WebSockets. hosts: the names that this kiosk answers to."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str], proxies: Proxies) -> None:
        self._app, self._proxies = app, proxies
        self._hosts = frozenset(host.lower().strip("[]") for host in hosts)
        self._warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope = self._proxies.seen(scope)
        if refusal := _unreadable(scope) or self._refusal(scope):
            status, detail = refusal
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": detail})
            else:
                await JSONResponse({"detail": detail}, status)(scope, receive, _with_headers(
                    scope, send))
            return
        await self._app(scope, receive, _with_headers(scope, send))

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers, visitor = Headers(scope=scope), visitor_of(scope)
        if not self._answers_to(visitor):
            return 403, "expected one of this kiosk's own names as the Host; --allow-host adds one"
        origins = headers.getlist("origin")
        if origins and [origin.lower() for origin in origins] != [_own_origin(scope)]:
            return 403, self._foreign(origins[0])
        site = headers.get("sec-fetch-site", "none")
        navigates = headers.get("sec-fetch-mode") == "navigate" and scope.get("method") == "GET"
        if site not in _OWN_PAGES and not navigates:
            return 403, "expected this kiosk's own pages to ask"
        if visitor.path == CAMERA and not (visitor.local and site == "same-origin"):
            return 403, "the camera's picture is for this kiosk's own page, on its own screen"
        return None

    def _answers_to(self, visitor: Visitor) -> bool:
        """By every name: what a proxy passes on may hide one of somebody's own (DNS rebinding)."""
        return bool(visitor.hosts) and all(_host_name(host) in self._hosts
                                           for host in visitor.hosts)

    def _foreign(self, origin: str) -> str:
        """What is wrong with an Origin. Where its name is ours, most likely a proxy is in the way
        that nobody named: a browser does not show that, so the kiosk's log says it, once."""
        if _host_name(origin.partition("://")[2]) not in self._hosts:
            return "expected this kiosk's own pages as the Origin"
        detail = ("expected this kiosk's own pages as the Origin, found another scheme or port; "
                  "where a proxy is in the way, name it with --trusted-proxy ADDRESS, and have it "
                  "pass on Host, X-Forwarded-For and X-Forwarded-Proto")
        if not self._warned:
            log.warning("a page at %s was refused: %s", origin, detail)
            self._warned = True
        return detail


def _unreadable(scope: Scope) -> tuple[int, str] | None:
    """What no route can take: more headers than a browser sends, and addresses that are no text."""
    if (len(scope["headers"]) > MAX_HEADERS
            or sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES):
        return 431, f"expected at most {MAX_HEADERS} headers of {MAX_HEADER_BYTES} bytes; send less"
    for part in (scope["raw_path"], scope["query_string"]):
        try:
            text = unquote_to_bytes(part).decode()
        except UnicodeDecodeError:
            return 400, "expected an address in UTF-8, found bytes that are none"
        if any(unicodedata.category(character) == "Cc" for character in text):
            return 400, "expected an address without control characters, found one"
    return None


def _own_origin(scope: Scope) -> str:
    scheme, port = ("https", ":443") if scope["scheme"] in ("https", "wss") else ("http", ":80")
    return f"{scheme}://{visitor_of(scope).hosts[-1].lower().removesuffix(port)}"


def _host_name(host: str) -> str | None:
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # ValueError where it is none
    except ValueError:
        return None
    plain = not (parts.path or parts.query or parts.fragment or "@" in host)
    return parts.hostname if plain else None


def _with_headers(scope: Scope, send: Send) -> Send:
    path = visitor_of(scope).path

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if path.startswith("/api"):
                headers.setdefault("Cache-Control", "no-store")
            elif path.startswith(("/page/", "/phone/")):
                headers.setdefault("Cache-Control", "no-cache")  # or an update comes in pieces
            if scope["scheme"] == "https":
                headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        await send(message)

    return sent


MAX_BODY = 64 * 1024
MAX_UPLOAD = 12 * 1024 * 1024
UPLOADS = ("/api/identify",)
BODY_S = 20.0  # from the headers to the last byte of the body
_CLOSE = {"Connection": "close"}


class BodyLimit:
    """ASGI middleware: 413 for a body that is too large, 408 for one that takes too long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = MAX_UPLOAD if visitor_of(scope).path in UPLOADS else MAX_BODY
        length = Headers(scope=scope).get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length) > most:
            await JSONResponse({"detail": _too_large(most)}, 413, _CLOSE)(scope, receive, send)
        else:
            await self._app(scope, _bounded(receive, most), send)


def _too_large(most: int) -> str:
    return f"expected at most {most} bytes; send less"


def _bounded(receive: Receive, most: int) -> Receive:
    """HTTPException, which FastAPI answers with, for what is beyond the limits."""
    left, complete = most, False
    until_s = asyncio.get_running_loop().time() + BODY_S

    async def received() -> Message:
        nonlocal left, complete
        if complete:  # what comes now is that the client has gone
            return await receive()
        try:
            async with asyncio.timeout_at(until_s):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, f"expected the whole body within {BODY_S:g} s; send less",
                                _CLOSE) from None
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, _too_large(most), _CLOSE)
        complete = not message.get("more_body", False)
        return message

    return received
