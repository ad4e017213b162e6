"""Who may do what: anybody on this machine may look on, the token's owner may do everything."""

from __future__ import annotations

import math
from typing import cast

from fastapi import HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from edge_runtime.kiosk.security import is_local
from edge_runtime.kiosk.service import Service


def service_of(connection: HTTPConnection) -> Service:
    return cast(Service, connection.app.state.service)


async def need_token(connection: HTTPConnection) -> None:
    """401 without the right token, 429 after too many wrong ones of this address."""
    service = service_of(connection)
    if not service.tokens.exists:
        raise HTTPException(403, "this kiosk has no token; make one with 'visavox kiosk "
                                 "--set-token', and start it again")
    kind, _, token = connection.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise _refused(401, "expected the header 'Authorization: Bearer TOKEN', found none")
    address = connection.client.host if connection.client else ""
    wait_s = await run_in_threadpool(service.tokens.check, token.strip(), address)
    if wait_s is None:
        return
    service.metrics.refused_tokens.inc()
    if wait_s:
        raise HTTPException(429, "too many wrong tokens; wait", {
            "Retry-After": str(math.ceil(wait_s))})
    raise _refused(401, "the token is wrong")


async def need_token_from_elsewhere(connection: HTTPConnection) -> None:
    """The same, but for who is on this machine."""
    if not is_local(connection.scope):
        await need_token(connection)


def _refused(status: int, detail: str) -> HTTPException:
    return HTTPException(status, detail, {"WWW-Authenticate": "Bearer"})
