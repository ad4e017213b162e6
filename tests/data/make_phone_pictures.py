"""Takes the documentation's pictures of the phone's page, with a synthetic person before it.

    make web
    python -m tests.data.make_phone_pictures demo

Needs the extras kiosk and dev, and Chromium. Writes tests/data/phone-*.png anew.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import BrowserContext, Page, Playwright, expect, sync_playwright

from edge_runtime.web.export import export_web
from tests.data.screenshots import take
from tests.edge_runtime.web.kiosk.staging import chromium
from tests.edge_runtime.web.phone.conftest import PHONE
from tests.edge_runtime.web.phone.devices import (
    chromium_arguments,
    scenes,
    write_camera,
    write_microphone,
)
from tests.edge_runtime.web.phone.serving import served

PERSON = 3  # of the demo


def main(demo: Path) -> None:
    program = chromium()
    if program is None:
        sys.exit("expected Chromium, found none; apt install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        export_web(demo / "bundle", Path(folder) / "phone")
        with served(Path(folder) / "phone") as address:
            for scheme, count, picture in (("light", 1, picture_of_a_name),
                                           ("dark", 6, picture_of_the_walk)):
                context = opened(playwright, program, demo, Path(folder) / scheme, scheme, count)
                page = context.pages[0]
                page.goto(address)
                page.click("#begin")
                picture(page)
                context.close()


def opened(
    playwright: Playwright, program: str, demo: Path, folder: Path, scheme: str, count: int
) -> BrowserContext:
    """A browser on a phone's screen, with the person of the demo before it, in so many rooms."""
    folder.mkdir()
    write_camera(folder / "camera.y4m", [picture for picture in scenes(PERSON, count)
                                         for _ in range(5)])
    clips = sorted((demo / "people" / f"synthetic_{PERSON:03}" / "voice").iterdir())
    write_microphone(folder / "microphone.wav", np.concatenate(
        [soundfile.read(clip, dtype="float32")[0] for clip in clips]))
    context = playwright.chromium.launch_persistent_context(
        folder / "profile", executable_path=program, viewport=PHONE, locale="en-GB",
        color_scheme=scheme, device_scale_factor=1,
        args=chromium_arguments(folder / "camera.y4m", folder / "microphone.wav"))
    context.set_default_timeout(60_000)
    return context


def picture_of_a_name(page: Page) -> None:
    expect(page.locator("#name")).not_to_be_empty(timeout=60_000)
    page.wait_for_timeout(3000)  # until several seconds agree
    take(page, "phone-known")


def picture_of_the_walk(page: Page) -> None:
    expect(page.locator("#cost")).to_contain_text("threads", timeout=60_000)
    page.click("[data-go=enrol]")
    page.fill("#new-name", "Ada")
    page.check("#consent")
    page.click("#who button")
    expect(page.locator("#sentence")).not_to_be_empty(timeout=60_000)
    take(page, "phone-enrolment")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
