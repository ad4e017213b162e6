"""Chromium with a fake camera and microphone, and exported folders."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Playwright, sync_playwright

from edge_runtime.web import fetch
from edge_runtime.web.export import copy_page
from tests.edge_runtime.web.phone.devices import Person, chromium_arguments

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PHONE = {"width": 412, "height": 915}

Browse = Callable[..., AbstractContextManager[BrowserContext]]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The program."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not found:
        pytest.skip("Chromium is not installed (Debian, Ubuntu: apt install chromium)")
    return found


@pytest.fixture(scope="session")
def third_party() -> Path:
    """What `make web` fetches."""
    if not fetch.is_filled():
        pytest.skip("LiteRT.js is not there: 'make web' fetches it by npm")
    return fetch.FOLDER


@pytest.fixture(scope="session")
def page_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as it is exported, without a bundle."""
    folder = tmp_path_factory.mktemp("page") / "phone"
    copy_page(folder)
    return folder


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture
def browse(playwright: Playwright, chromium: str, tmp_path: Path) -> Browse:
    """browse(camera=Path, microphone=Path): a browser that keeps its profile within a test."""
    @contextlib.contextmanager
    def opened(
        camera: Path | None = None, microphone: Path | None = None, **options: Any
    ) -> Iterator[BrowserContext]:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=chromium, viewport=PHONE, locale="en-GB",
            args=chromium_arguments(camera, microphone), **options)
        context.set_default_timeout(60_000)
        try:
            yield context
        finally:
            context.close()

    return opened


@pytest.fixture
def person(tmp_path: Path, small_people: Path) -> Person:
    return Person(tmp_path, small_people, 1)
