"""How large a request may be and how long its body may take, before anything looks into it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from edge_runtime.kiosk.visitors import visitor_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
