"""Who may do what: anybody on this machine may look on, the token's owner may do everything."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from typing import Any, cast

import msgspec
from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

from edge_runtime.apps.kiosk.service import Service
from edge_runtime.apps.kiosk.visitors import visitor_of

_MOST_PARTS = 3  # of a form: no route takes more


def service_of(connection: HTTPConnection) -> Service:
    return cast(Service, connection.app.state.service)


class TokenRoute(APIRoute):
    """Looks at the token before anything of the body is read, and at the body before anything of it
    is used: FastAPI reads the whole body first."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            need_token(request)
            await _check_body(request)
            return await handle(request)

        return handled


async def _check_body(request: Request) -> None:
    """400 for a form of too many parts, and for JSON that is none: Python's own reader takes NaN,
    and halves of characters."""
    kind = request.headers.get("content-type", "").lower()
    if kind.startswith("multipart/"):
        await request.form(max_files=_MOST_PARTS, max_fields=_MOST_PARTS)
    elif "json" in kind and (body := await request.body()):
        try:
            msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise HTTPException(400, f"expected JSON, found something else ({error})") from None


def need_token(connection: HTTPConnection) -> None:
    """401 without the right token, 429 after too many wrong ones of this address."""
    service = service_of(connection)
    if not service.tokens.exists:
        raise HTTPException(403, "this kiosk has no token; make one with 'visavox kiosk "
                                 "--set-token', and start it again")
    kind, _, token = connection.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise _refused(401, "expected the header 'Authorization: Bearer TOKEN', found none")
    wait_s = service.tokens.check(token.strip(), visitor_of(connection.scope).address)
    if wait_s is None:
        return
    service.metrics.refused_tokens.inc()
    if wait_s:
        raise HTTPException(429, "too many wrong tokens; wait", {
            "Retry-After": str(math.ceil(wait_s))})
    raise _refused(401, "the token is wrong")


async def need_token_from_elsewhere(connection: HTTPConnection) -> None:
    """The same, but for who is on this machine."""
    if not visitor_of(connection.scope).local:
        need_token(connection)


def _refused(status: int, detail: str) -> HTTPException:
    return HTTPException(status, detail, {"WWW-Authenticate": "Bearer"})
