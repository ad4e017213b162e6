"""The web application of a kiosk, and its server (uvicorn), until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import uvicorn
from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.formparsers import MultiPartParser

from edge_runtime import __version__
from edge_runtime.apps.kiosk import administration, systemd, viewing
from edge_runtime.apps.kiosk.connections import Door, Guests, Impatient, Listener
from edge_runtime.apps.kiosk.events import TooManyClientsError
from edge_runtime.apps.kiosk.security import (
    LOOPBACK_HOSTS,
    MAX_HEADER_BYTES,
    MAX_UPLOAD,
    BodyLimit,
    Guard,
)
from edge_runtime.apps.kiosk.service import PAGE, Service
from edge_runtime.apps.kiosk.visitors import DIRECT, Proxies, is_loopback
from edge_runtime.enrolment.guided import AlreadyEnrollingError, TooLateError
from edge_runtime.errors import (
    DuplicateError,
    GalleryError,
    NameTakenError,
    UsageError,
    VisavoxError,
)
from edge_runtime.web.export import SHARED

DESCRIPTION = ("Who is in front of this kiosk. It says who is probably there; it is not access "
               "control: a photograph and a recording pass for the person.")

REASONS: dict[type[Exception], str] = {
    NameTakenError: "name_taken", DuplicateError: "duplicate", AlreadyEnrollingError: "enrolling",
    TooLateError: "too_late", TooManyClientsError: "full"}

_THREADS = 12  # requests, of which live views hold three, that work or wait at a time

# Uploads stay in memory: pictures of people have no business on a disk, not even for a moment.
MultiPartParser.spool_max_size = MAX_UPLOAD


def make_app(
    service: Service, hosts: Iterable[str] = LOOPBACK_HOSTS, proxies: Proxies = DIRECT
) -> FastAPI:
    """hosts: the names that the kiosk answers to. The station runs as long as the app does."""
    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = _THREADS
        async with service.running():
            yield

    app = FastAPI(title="Visavox kiosk", version=__version__, description=DESCRIPTION,
                  docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.service = service
    app.add_exception_handler(VisavoxError, _mistake)
    app.add_exception_handler(TooManyClientsError, _mistake)
    app.add_exception_handler(RequestValidationError, _another_shape)
    app.include_router(viewing.router)
    app.include_router(viewing.health_router)
    app.include_router(administration.router)
    _add_pages(app, service.phone)
    app.add_middleware(BodyLimit)
    app.add_middleware(Guard, hosts=hosts, proxies=proxies)
    return app


async def _mistake(_: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error), "reason": REASONS.get(type(error))}, _status(error))


async def _another_shape(_: Request, error: Exception) -> Response:
    """In one sentence, and without what was sent, which may be no text at all."""
    [first, *_more] = cast(RequestValidationError, error).errors()
    place = ".".join(str(part) for part in first["loc"])
    return JSONResponse({"detail": f"{place}: {first['msg']}; /docs has the shape", "reason": None},
                        422)


def _status(error: Exception) -> int:
    if isinstance(error, TooManyClientsError):
        return 429
    return 409 if isinstance(error, GalleryError) else 400


def _add_pages(app: FastAPI, phone: Path | None) -> None:
    @app.get("/", include_in_schema=False)
    def index() -> Response:
        file = PAGE / "index.html"
        if not file.is_file():
            return PlainTextResponse("This kiosk has no page: edge_runtime/web/kiosk/index.html is "
                                     "missing. /docs lists what it answers.\n", 404)
        return FileResponse(file, headers={"Cache-Control": "no-cache"})

    # The kiosk's page is index(), beside which its relative addresses lead somewhere.
    for path, folder, is_page in (("/page/shared", SHARED, False), ("/page", PAGE, False),
                                  ("/phone", phone, True)):
        if folder and folder.is_dir():
            app.mount(path, StaticFiles(directory=folder, html=is_page))


_STOP_S = 3


@dataclass(frozen=True)
class Address:
    """Where a kiosk listens. hosts: names that it answers to besides its own. proxies: see
    visitors.py."""

    host: str = "127.0.0.1"
    port: int = 8765
    tls_cert: Path | None = None
    tls_key: Path | None = None
    hosts: tuple[str, ...] = ()
    proxies: Proxies = DIRECT

    def check(self, has_token: bool) -> None:
        """UsageError where it would be open to others without TLS and a token."""
        if (self.tls_cert is None) != (self.tls_key is None):
            raise UsageError("--tls-cert FILE and --tls-key FILE go together, found one of them")
        for file in (self.tls_cert, self.tls_key):
            if file is not None and not file.is_file():
                raise UsageError(f"{file}: no such file; --tls-cert and --tls-key expect PEM files")
        if is_loopback(self.host):
            return
        if self.tls_cert is None or not has_token:
            missing = " and ".join([*(["--tls-cert and --tls-key"] if self.tls_cert is None else
                                      []), *([] if has_token else ["a token (--set-token)"])])
            raise UsageError(f"--host {self.host} lets other machines in: expected {missing}, "
                             "found none; or leave --host out, for this machine alone")

    def listening(self) -> socket.socket:
        """A socket bound to the address. UsageError where that cannot be."""
        try:
            family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
            return socket.create_server((self.host, self.port), family=family)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageError(f"cannot listen on {self.host}, port {self.port}: {reason}; end what "
                             "does, or choose another with --host and --port") from None

    @property
    def names(self) -> tuple[str, ...]:
        """What clients may call it."""
        return (*LOOPBACK_HOSTS, self.host, socket.gethostname(), *self.hosts)

    def url(self, port: int) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.tls_cert else ''}://{host}:{port}{self.proxies.prefix}/"


class _Server(uvicorn.Server):
    """Lets in whom there is room for. Ends the streams first, or it would wait for them."""

    def __init__(self, config: uvicorn.Config, service: Service, guests: Guests) -> None:
        super().__init__(config)
        self._service, self._guests = service, guests
        self._watched: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup([Door(listening, self._guests) for listening in sockets or []])
        systemd.notify("READY=1")
        self._watched = asyncio.create_task(systemd.watched(lambda: self._service.station.alive))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        systemd.notify("STOPPING=1")
        if self._watched:
            self._watched.cancel()
        self._service.close()
        await super().shutdown(sockets)


def make_server(service: Service, address: Address) -> uvicorn.Server:
    """The server, not yet running. UsageError for TLS files that cannot be used."""
    guests = Guests(address.proxies)
    options: dict[str, Any] = {}
    if address.tls_cert:
        options = {"ssl_certfile": address.tls_cert, "ssl_keyfile": address.tls_key}
    config = uvicorn.Config(
        make_app(service, address.names, address.proxies),
        http=cast(Any, partial(Impatient, guests=guests)),
        ws=cast(Any, partial(Listener, guests=guests)), loop="asyncio",  # which asks the Door
        ws_max_size=4096, ws_per_message_deflate=False,
        h11_max_incomplete_event_size=2 * MAX_HEADER_BYTES, timeout_keep_alive=10,
        timeout_graceful_shutdown=_STOP_S, proxy_headers=False, server_header=False,
        access_log=False, log_config=None, log_level="warning", **options)
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        raise UsageError(f"{address.tls_cert}: expected a certificate and its key as PEM files, "
                         f"found {error.strerror or error}") from None
    return _Server(config, service, guests)


def run(server: uvicorn.Server, listening: socket.socket) -> None:
    """Serves until SIGINT or SIGTERM, which then end the caller's contexts in order."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn passes it on at the end
    server.run([listening])
