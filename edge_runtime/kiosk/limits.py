"""How large a request may be and how long it may take, before anything looks into it.

uvicorn bounds the size of the headers and closes idle connections, but lets a client take for ever
over one request; Impatient does not.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 64 * 1024
MAX_UPLOAD = 12 * 1024 * 1024
UPLOADS = ("/api/identify",)
BODY_S = 20.0  # from the headers to the last byte of the body
HEADERS_S = 10.0  # from the first byte of a connection, or of the next request, to the last header
_CLOSE = {"Connection": "close"}


class BodyLimit:
    """ASGI middleware: 413 for a body that is too large, 408 for one that takes too long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = MAX_UPLOAD if scope["path"] in UPLOADS else MAX_BODY
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
