"""How large a request may be and how long it may take, before anything looks into it.

uvicorn bounds the size of the headers and closes idle connections, but lets a client take for ever
over one request; Impatient does not.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 64 * 1024
MAX_UPLOAD = 12 * 1024 * 1024
UPLOADS = ("/api/identify",)
BODY_S = 20.0  # from the headers to the last byte of the body
HEADERS_S = 10.0  # from the first byte of a connection, or of the next request, to the last header


class _TooLargeError(Exception):
    pass


class BodyLimit:
    """ASGI middleware: 413 for a body that is too large, 408 for one that takes too long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = MAX_UPLOAD if scope["path"] in UPLOADS else MAX_BODY
        bounded = _Bounded(receive, send, most)
        length = Headers(scope=scope).get("content-length", "0")
        try:
            if length.isascii() and length.isdigit() and int(length) > most:
                raise _TooLargeError
            await self._app(scope, bounded.receive, bounded.send)
        except _TooLargeError:
            await bounded.refuse(413, f"expected at most {most} bytes", scope)
        except TimeoutError:
            await bounded.refuse(408, f"expected the body within {BODY_S:.0f} s", scope)


class _Bounded:
    def __init__(self, receive: Receive, send: Send, most: int) -> None:
        self._receive, self._send = receive, send
        self._left = most
        self._until_s = asyncio.get_running_loop().time() + BODY_S
        self._complete = self._answered = False

    async def receive(self) -> Message:
        if self._complete:  # what comes now is that the client has gone
            return await self._receive()
        async with asyncio.timeout_at(self._until_s):
            message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise _TooLargeError
        self._complete = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        self._answered = True
        await self._send(message)

    async def refuse(self, status: int, detail: str, scope: Scope) -> None:
        if self._answered:
            raise asyncio.CancelledError  # too late to say so: the connection is closed
        await JSONResponse({"detail": detail}, status, {"Connection": "close"})(
            scope, self._receive, self._send)


class Impatient(H11Protocol):
    """uvicorn's HTTP/1.1 with a limit on how long the headers of a request may take."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._deadline = self._until_headers()

    def data_received(self, data: bytes) -> None:
        waiting = self.cycle is None or self.cycle.response_complete
        if waiting and self._deadline is None:
            self._deadline = self._until_headers()
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before or self.transport.get_protocol() is not self:
            self._forget_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    def _until_headers(self) -> asyncio.TimerHandle | None:
        return self.loop.call_later(HEADERS_S, self.transport.abort)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
