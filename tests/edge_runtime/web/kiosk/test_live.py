"""The kiosk's page in a real browser, before a real kiosk that sees and hears synthetic people."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.edge_runtime.web.kiosk.staging import OpenPage, Stage
from tests.edge_runtime.web.kiosk.stand_ins import in_a_room
from tests.edge_runtime.web.kiosk.test_languages import LANGUAGES
from tests.edge_runtime.web.kiosk.visitor import assert_accessible, assert_fits, shows, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
EN, DE = LANGUAGES["en"], LANGUAGES["de"]


def test_it_names_who_is_there(page: Page, stage: Stage) -> None:
    shows(page, "#state", EN["state.idle"])
    stage.scene.show(stage.ada.pictures[3], stage.ada.sounds)
    shows(page, "#headline", "Ada")
    assert page.inner_text("#state") == EN["state.known"]
    assert page.inner_text("#explanation") == EN["reason.accepted"]
    assert 50 <= float(page.inner_text("#confidence-number").rstrip("%")) <= 100
    assert page.inner_text("#threshold") == EN["decision.threshold"].format(share="50%")
    until(page, "Number(level.getAttribute('aria-valuenow')) > -50")
    # The face that the box is on: the picture is shown as in a mirror, and so is its box.
    page.wait_for_selector("#face-box")
    picture, box = (page.locator(place).bounding_box() for place in ("#camera", "#face-box"))
    assert picture and box and page.evaluate("camera.naturalWidth") == 640
    assert picture["x"] <= box["x"] and box["x"] + box["width"] <= picture["x"] + picture["width"]
    assert 0.05 < box["width"] / picture["width"] < 0.6
    assert_accessible(page)
    assert_fits(page)
    decided = page.inner_text("#cost")
    page.reload()  # somebody who is there already is named at once, and since when
    shows(page, "#headline", "Ada")
    assert page.inner_text("#cost") == decided
    stage.scene.leave()
    shows(page, "#state", EN["state.idle"])


def test_a_stranger_stays_nobody(page: Page, stage: Stage) -> None:
    stage.scene.show(stage.stranger.pictures[0], stage.stranger.sounds)
    shows(page, "#headline", EN["headline.nobody"])
    end_s = time.monotonic() + 3
    while time.monotonic() < end_s:
        assert page.locator("#figures").is_hidden()
        assert page.inner_text("#headline") != "Ada"
        time.sleep(0.2)
    assert page.inner_text("#explanation") in (EN["reason.below_threshold"],
                                               EN["reason.disagreement"])


def test_it_says_what_would_help(page: Page, stage: Stage) -> None:
    far = in_a_room(stage.ada.pictures[3], 160)
    stage.scene.show(far, [sound / 200 for sound in stage.ada.sounds])
    shows(page, "#face-hint", EN["hint.closer"])
    until(page, "document.querySelector('#voice-hint').textContent !== ''")
    assert page.inner_text("#voice-hint") in (EN["hint.louder"], EN["hint.speak"])


def test_language_and_theme_are_remembered(open_page: OpenPage, stage: Stage) -> None:
    page = open_page(stage.kiosk.url, locale="de-AT", color_scheme="dark")
    shows(page, "nav a[href='#live']", DE["nav.live"])
    assert page.get_attribute("html", "lang") == "de"
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert_accessible(page)
    page.click("#theme")
    page.select_option("#language", "en")
    shows(page, "nav a[href='#live']", EN["nav.live"])
    page.reload()
    shows(page, "nav a[href='#live']", EN["nav.live"])
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    assert_accessible(page)


def test_on_a_phone_nothing_is_cut_off(open_page: OpenPage, stage: Stage) -> None:
    page = open_page(stage.kiosk.url, viewport={"width": 360, "height": 740}, locale="de-DE")
    shows(page, "#state", DE["state.idle"])
    for view in ("live", "enrol", "people"):
        page.click(f"nav a[href='#{view}']")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert_accessible(page)


def test_a_camera_that_goes_away(page: Page, stage: Stage) -> None:
    until(page, "camera.naturalWidth === 640")
    stage.scene.camera.stop()
    until(page, f"trouble.textContent.startsWith({json.dumps(EN['camera'])})")
    assert_accessible(page)
    stage.scene.camera.start()
    page.wait_for_selector("#trouble", state="hidden")


def test_a_film_that_begins_anew_is_no_trouble(page: Page, stage: Stage) -> None:
    """Nor is a camera well again because it is being opened again."""
    until(page, "camera.naturalWidth === 640")
    status = page.request.get(f"{stage.kiosk.url}api/status").json()
    for state, said in (("closed", ""), ("starting", ""), ("missing", "missing"),
                        ("closed", "missing"), ("starting", "missing"), ("ok", "")):
        status["camera"] = {"present": True, "state": state, "message": ""}
        page.route("**/api/status", lambda route: route.fulfill(json=status))
        with page.expect_response("**/healthz"):  # which is asked afterwards
            pass
        shows(page, "#trouble", f"{EN['camera']} {EN[f'source.{said}']}" if said else "")
        page.unroute("**/api/status")


def test_a_kiosk_that_hangs_names_nobody(page: Page, stage: Stage) -> None:
    """Whoever was seen last may be gone long since."""
    assert stage.ada
    stage.scene.show(stage.ada.pictures[3], stage.ada.sounds)
    shows(page, "#headline", "Ada")
    page.route("**/healthz", lambda route: route.fulfill(status=503, json={"status": "hangs"}))
    shows(page, "#headline", EN["outage"])
    shows(page, "#trouble", EN["hangs"])
    page.unroute("**/healthz")
    shows(page, "#headline", "Ada")


def test_it_connects_again(page: Page, stage: Stage) -> None:
    assert stage.ada
    stage.scene.show(stage.ada.pictures[3], stage.ada.sounds)
    shows(page, "#headline", "Ada")
    stage.kiosk.stop()
    shows(page, "#trouble", EN["offline"])
    shows(page, "#headline", EN["outage"])  # Ada may be gone long since
    assert page.locator("#figures").is_hidden() and page.inner_text("#cost") == ""
    assert_accessible(page)
    stage.scene.leave()
    page.click("nav a[href='#people']")
    page.fill("#token", stage.kiosk.token)
    page.click("#unlock button")
    shows(page, "#unlock .message", EN["refused.0"])
    page.click("nav a[href='#live']")
    stage.kiosk.start()
    script = page.request.get(f"{stage.kiosk.url}page/main.js")  # which an update may have changed
    assert script.ok and script.headers["cache-control"] == "no-cache"
    page.wait_for_selector("#trouble", state="hidden")
    shows(page, "#headline", EN["headline.idle"])
    stage.scene.show(stage.ada.pictures[4], stage.ada.sounds)
    shows(page, "#headline", "Ada")
    until(page, "camera.naturalWidth === 640")


def test_a_fourth_page_says_why_it_has_no_picture(open_page: OpenPage, stage: Stage) -> None:
    pages = [open_page(stage.kiosk.url) for _ in range(3)]
    for page in pages:
        until(page, "camera.naturalWidth === 640")
    fourth = open_page(stage.kiosk.url)
    shows(fourth, "#no-picture", EN["refused.full"])
    assert_accessible(fourth)
    pages[0].close()  # and makes room
    until(fourth, "camera.naturalWidth === 640")
    shows(fourth, "#no-picture", "")
