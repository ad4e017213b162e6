"""The web application of a kiosk."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import cast

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.formparsers import MultiPartParser

from edge_runtime import __version__
from edge_runtime.enrolment.guided import AlreadyEnrollingError, TooLateError
from edge_runtime.errors import DuplicateError, GalleryError, NameTakenError, VisavoxError
from edge_runtime.kiosk import administration, looking_on
from edge_runtime.kiosk.events import TooManyClientsError
from edge_runtime.kiosk.limits import MAX_UPLOAD, BodyLimit
from edge_runtime.kiosk.security import LOOPBACK_HOSTS, Guard
from edge_runtime.kiosk.service import PAGE, Service
from edge_runtime.kiosk.visitors import DIRECT, Proxies

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
    app.include_router(looking_on.router)
    app.include_router(looking_on.health_router)
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
            return PlainTextResponse("This kiosk has no page: edge_runtime/page/index.html is "
                                     "missing. /docs lists what it answers.\n", 404)
        return FileResponse(file, headers={"Cache-Control": "no-cache"})

    # The kiosk's page is index(), beside which its relative addresses lead somewhere.
    for path, folder, is_page in (("/page", PAGE, False), ("/phone", phone, True)):
        if folder and folder.is_dir():
            app.mount(path, StaticFiles(directory=folder, html=is_page))
