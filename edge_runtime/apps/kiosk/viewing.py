"""Routes for who looks on: status, events, the live view, figures, and the pages."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TypeVar

from fastapi import APIRouter, Depends, Request, WebSocket
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.websockets import WebSocketDisconnect

from edge_runtime import __version__
from edge_runtime.apps.kiosk.access import need_token_from_elsewhere, service_of
from edge_runtime.apps.kiosk.events import Subscription, TooManyClientsError
from edge_runtime.apps.kiosk.home_assistant import Link
from edge_runtime.apps.kiosk.live_view import MEDIA_TYPE
from edge_runtime.apps.kiosk.schemas import Health, SourceStatus, Status
from edge_runtime.apps.kiosk.service import languages
from edge_runtime.capture import source

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

T = TypeVar("T")
router = APIRouter(tags=["looking on"], dependencies=[Depends(need_token_from_elsewhere)])
_HEARTBEAT_S = 15.0


@router.get("/api/status", summary="How the kiosk is")
def status(request: Request) -> Status:
    service = service_of(request)
    station, manifest = service.station, service.station.identifier.manifest
    return Status(
        state=station.state, people=len(station.names), enrolls=station.gallery is not None,
        bundle={"name": service.bundle, "family": manifest.family, "recipe": manifest.recipe,
                "certified": manifest.certified, "warnings": manifest.warnings},
        camera=_source(station.status("camera")), microphone=_source(station.status("microphone")),
        mqtt=_source(service.broker.status if service.broker else None),
        languages=languages(), version=__version__)


def _source(found: source.Status | Link | None) -> SourceStatus:
    if found is None:
        return SourceStatus(present=False, state=None, message=None)
    return SourceStatus(present=True, state=found.state, message=found.message)


@router.websocket("/api/events")
async def events(socket: WebSocket) -> None:
    """Views and decisions as JSON; what the client sends is not looked at."""
    service = service_of(socket)
    await socket.accept()
    try:
        with service.subscribed() as subscription:
            gone = asyncio.create_task(_until_gone(socket))
            gone.add_done_callback(lambda _: subscription.close())
            try:
                while (text := await subscription.next()) is not None:
                    await socket.send_text(text)
            finally:
                gone.cancel()
        await socket.close(1001)
    except TooManyClientsError as error:
        await socket.close(1013, str(error))
    except (WebSocketDisconnect, RuntimeError):  # gone while something was sent
        return


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


class _Stream(StreamingResponse):
    """A stream to whoever has a place: 429 where none is left. The place is taken when the stream
    begins, or any number who ask at once would find the same one free."""

    def __init__(
        self, place: AbstractContextManager[T], parts: Callable[[T], AsyncIterator[str | bytes]],
        media_type: str,
    ) -> None:
        super().__init__((), headers={"Cache-Control": "no-store"}, media_type=media_type)
        self._place, self._parts = place, parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._place as held:
            self.body_iterator = self._parts(held)
            await super().__call__(scope, receive, send)


@router.get("/api/events/stream", response_class=StreamingResponse,
            summary="Views and decisions, server-sent",
            responses={200: {"content": {"text/event-stream": {}}},
                       429: {"description": "too many clients listen already"}})
async def stream(request: Request) -> StreamingResponse:
    return _Stream(service_of(request).subscribed(), _sent, "text/event-stream")


async def _sent(subscription: Subscription) -> AsyncIterator[str]:
    while True:
        try:
            async with asyncio.timeout(_HEARTBEAT_S):
                text = await subscription.next()
        except TimeoutError:
            yield ": still here\n\n"  # or a connection that is gone is never noticed
            continue
        if text is None:
            return
        yield f"data: {text}\n\n"


@router.get("/metrics", response_class=Response, summary="Figures for Prometheus",
            responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request) -> Response:
    return Response(service_of(request).metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/camera.mjpg", response_class=StreamingResponse,
            summary="The live view, for the kiosk's own page alone",
            responses={200: {"content": {"multipart/x-mixed-replace": {}}},
                       403: {"description": "not the kiosk's own page"},
                       429: {"description": "too many look already"}})
async def camera(request: Request) -> StreamingResponse:
    live_view = service_of(request).live_view
    return _Stream(live_view.watched(), lambda _: live_view.parts(), MEDIA_TYPE)


@router.get("/docs", response_class=HTMLResponse, include_in_schema=False)
def docs(request: Request) -> str:
    """A list of what /openapi.json says, without scripts."""
    schema = request.app.openapi()
    rows = [f"<tr><td>{method.upper()}<td><code>{html.escape(path)}</code>"
            f"<td>{html.escape(route.get('summary', ''))}"
            f"<td>{'the token' if route['tags'] == ['administration'] else ''}"
            for path, routes in schema["paths"].items() for method, route in routes.items()]
    return (f"<!doctype html><html lang=en><meta charset=utf-8><title>{schema['info']['title']}"
            f"</title><h1>{schema['info']['title']}</h1><p>{schema['info']['description']}"
            "<p>Requests and answers in full: <a href=openapi.json>openapi.json</a>"
            "<table><tr><th>Method<th>Path<th>What<th>Needs" + "".join(rows) + "</table></html>")


health_router = APIRouter(tags=["looking on"])


@health_router.get("/healthz", summary="Whether the kiosk works",
                   responses={503: {"model": Health, "description": "the loop hangs"}})
async def healthz(request: Request) -> Health:
    if service_of(request).station.alive:
        return Health(status="ok")
    return JSONResponse({"status": "hangs"}, 503)  # type: ignore[return-value]
