"""One kiosk with a drawn scene before it, and one headless Chromium, for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.edge_runtime.web.kiosk.staging import (
    DRAWN,
    KIOSK_SCREEN,
    PATIENCE_MS,
    OpenPage,
    Stage,
    chromium,
    launch,
    on_stage,
    told_apart,
)
from tests.edge_runtime.web.kiosk.stand_ins import Person, drawn_person

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

@pytest.fixture(scope="session")
def tried_bundle(walked_through: Path) -> Path:
    """Of networks that tell people apart whom they were not trained on."""
    pytest.importorskip("fastapi", reason="the extra kiosk is not installed")
    return walked_through / "bundle"


@pytest.fixture(scope="session")
def people(tried_bundle: Path) -> tuple[Person, ...]:
    """Who comes: ben, a stranger, ada."""
    return told_apart(tried_bundle, [drawn_person(number) for number in DRAWN], 3)


@pytest.fixture(scope="module")
def stage(
    tried_bundle: Path, people: tuple[Person, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    with on_stage(tried_bundle, tmp_path_factory.mktemp("kiosk"), *people) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = chromium()
    if program is None:
        pytest.skip("there is no Chromium; apt install chromium")
    with playwright.sync_playwright() as running:
        opened = launch(running, program)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """open_page(url, **options of the browser's context); the page may report no error."""
    said: list[str] = []
    contexts = []

    def opened(url: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": KIOSK_SCREEN, "locale": "en-GB"} | options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: said.append(str(error)))
        # What the content security policy forbids is said there too. Refusals are wanted.
        page.on("console", lambda line: said.append(line.text) if line.type == "error"
                and "Failed to load resource" not in line.text
                and "WebSocket connection" not in line.text else None)
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not said


@pytest.fixture
def page(open_page: OpenPage, stage: Stage) -> Iterator[Page]:
    """The kiosk's page, in English, in an empty room."""
    stage.scene.leave()
    yield open_page(stage.kiosk.url)
    stage.scene.leave()
