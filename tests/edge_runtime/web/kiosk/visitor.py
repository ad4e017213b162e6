"""What somebody before the kiosk's page does, sees and is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.edge_runtime.web.kiosk.staging import PATIENCE_MS, Stage
from tests.edge_runtime.web.kiosk.stand_ins import Person

if TYPE_CHECKING:
    from playwright.sync_api import Page


def shows(page: Page, selector: str, text: str) -> None:
    from playwright.sync_api import expect

    expect(page.locator(selector)).to_have_text(text, timeout=PATIENCE_MS)


def until(page: Page, condition: str) -> None:
    """Playwright's own wait_for_function is what the content security policy forbids."""
    end_s = time.monotonic() + PATIENCE_MS / 1e3
    while not page.evaluate(condition):
        assert time.monotonic() < end_s, condition
        page.wait_for_timeout(50)


def assert_accessible(page: Page) -> None:
    """axe-core finds nothing that is serious."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright",
                              reason="axe-playwright-python is not installed")
    found = axe.Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found
            if one["impact"] in ("serious", "critical")] == []


def assert_fits(page: Page) -> None:
    """Nothing has to be scrolled for, in the page and in the panel that is shown."""
    hidden = page.evaluate("""() => [document.documentElement,
        ...document.querySelectorAll(".panel:not([hidden])")]
        .map((one) => [one.scrollHeight - one.clientHeight, one.scrollWidth - one.clientWidth])""")
    assert max(max(pair) for pair in hidden) <= 1, hidden


def unlock(page: Page, stage: Stage, view: str) -> None:
    page.click(f"nav a[href='#{view}']")
    page.fill("#token", stage.kiosk.token)
    page.click("#unlock button")


def tab_to(page: Page, there: str) -> None:
    for _ in range(20):
        if page.evaluate(there):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"not reached by Tab: {there}")


def show_and_speak(page: Page, stage: Stage, person: Person, texts: dict[str, str]) -> None:
    """Three faces and three sentences of theirs are taken."""
    for take, angle in enumerate(("front", "left", "right")):
        shows(page, "#angle-text", texts[f"angle.{angle}"])
        assert_fits(page)
        stage.scene.show(person.pictures[take], person.sounds)
        until_kept(page, "#take", f"#angles li.done:nth-child({take + 1})"
                   if take < 2 else "#record")
    for sentence in (1, 2, 3):
        shows(page, "#sentence", texts[f"sentence.{sentence}"])
        assert_fits(page)
        until_kept(page, "#record", f"#sentences li.done:nth-child({sentence})"
                   if sentence < 3 else "#finish")


def until_kept(
    page: Page, button: str, wanted: str, press: Callable[[], None] | None = None
) -> None:
    """Presses again where the kiosk did not yet see what is there now."""
    for _ in range(10):
        press() if press else page.click(button)
        page.wait_for_selector(f"{button}:not([aria-busy])", state="attached")
        if page.locator(f"#enrol {wanted}").first.is_visible():
            return
    raise AssertionError(f"no {wanted}: {page.inner_text('#enrol .message')}")
