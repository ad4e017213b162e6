"""The web application of a kiosk."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.formparsers import MultiPartParser

from edge_runtime import __version__
from edge_runtime.errors import DuplicateError, GalleryError, NameTakenError, VisavoxError
from edge_runtime.kiosk import administration, looking_on
from edge_runtime.kiosk.enrolment import AlreadyEnrollingError, TooLateError
from edge_runtime.kiosk.limits import MAX_UPLOAD, BodyLimit
from edge_runtime.kiosk.security import LOOPBACK_HOSTS, Guard
from edge_runtime.kiosk.service import PAGE, Service

DESCRIPTION = ("Who is in front of this kiosk. It says who is probably there; it is not access "
               "control: a photograph and a recording pass for the person.")

REASONS: dict[type[Exception], str] = {
    NameTakenError: "name_taken", DuplicateError: "duplicate", AlreadyEnrollingError: "enrolling",
    TooLateError: "too_late"}

# Uploads stay in memory: pictures of people have no business on a disk, not even for a moment.
MultiPartParser.spool_max_size = MAX_UPLOAD


def make_app(service: Service, hosts: Iterable[str] = LOOPBACK_HOSTS) -> FastAPI:
    """hosts: the names that the kiosk answers to. The station runs as long as the app does."""
    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = FastAPI(title="Visavox kiosk", version=__version__, description=DESCRIPTION,
                  docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.service = service
    app.add_exception_handler(VisavoxError, _mistake)
    app.include_router(looking_on.router)
    app.include_router(looking_on.health_router)
    app.include_router(administration.router)
    _add_pages(app, service.phone)
    app.add_middleware(BodyLimit)
    app.add_middleware(Guard, hosts=hosts)
    return app


async def _mistake(_: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error), "reason": REASONS.get(type(error))}, _status(error))


def _status(error: Exception) -> int:
    return 409 if isinstance(error, GalleryError) else 400


def _add_pages(app: FastAPI, phone: Path | None) -> None:
    @app.get("/", include_in_schema=False)
    def index() -> Response:
        file = PAGE / "index.html"
        if not file.is_file():
            return PlainTextResponse("This kiosk has no page: edge_runtime/page/index.html is "
                                     "missing. /docs lists what it answers.\n", 404)
        return FileResponse(file, headers={"Cache-Control": "no-cache"})

    for path, folder in (("/page", PAGE), ("/phone", phone)):
        if folder and folder.is_dir():
            app.mount(path, StaticFiles(directory=folder, html=True))
