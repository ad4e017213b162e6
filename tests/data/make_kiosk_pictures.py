"""Takes the documentation's pictures of the kiosk's page, with synthetic people before it.

    python -m tests.data.make_kiosk_pictures demo/bundle

Needs the extras kiosk and dev, and Chromium. Writes tests/data/kiosk-*.png anew.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.data.screenshots import take
from tests.edge_runtime.web.kiosk.staging import (
    DRAWN,
    KIOSK_SCREEN,
    PATIENCE_MS,
    Stage,
    chromium,
    launch,
    on_stage,
    told_apart,
)
from tests.edge_runtime.web.kiosk.stand_ins import drawn_person


def main(bundle: Path) -> None:
    program = chromium()
    if program is None:
        sys.exit("expected Chromium, found none; apt install chromium")
    people = told_apart(bundle, [drawn_person(number) for number in DRAWN], 3)
    with (tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright,
          on_stage(bundle, Path(folder), *people) as stage):
        browser = launch(playwright, program)
        picture_of_a_name(open_page(browser, stage, "light"), stage)
        picture_of_the_walk(open_page(browser, stage, "dark"), stage)
        browser.close()


def open_page(browser: Browser, stage: Stage, theme: str) -> Page:
    page = browser.new_page(viewport=KIOSK_SCREEN, locale="en-GB", color_scheme=theme)
    page.set_default_timeout(PATIENCE_MS)
    page.goto(stage.kiosk.url)
    return page


def picture_of_a_name(page: Page, stage: Stage) -> None:
    assert stage.ada
    stage.scene.show(stage.ada.pictures[3], stage.ada.sounds)
    page.wait_for_selector("[data-state=known] #figures")
    take(page, "kiosk-known")


def picture_of_the_walk(page: Page, stage: Stage) -> None:
    stage.scene.show(stage.ben.pictures[0], stage.ben.sounds)
    page.click("nav a[href='#enrol']")
    page.fill("#token", stage.kiosk.token)
    page.click("#unlock button")
    page.fill("#name", "Ben")
    page.check("#consent")
    page.click("#enrol [data-step=person] button")
    page.wait_for_timeout(2000)  # until the kiosk sees him
    page.click("#take")
    page.wait_for_selector("#angles li.done")
    page.mouse.move(0, 0)
    take(page, "kiosk-enrolment")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
