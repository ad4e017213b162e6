"""The kiosk's page in a real browser, before a real kiosk that sees and hears synthetic people."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge_runtime.gallery.store import Gallery
from tests.edge_runtime.page.staging import (
    PATIENCE_MS,
    OpenPage,
    Stage,
    on_stage,
    unlike_people,
)
from tests.edge_runtime.page.stand_ins import EMPTY_ROOM, Person, in_a_room
from tests.edge_runtime.page.test_languages import LANGUAGES

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
EN, DE = LANGUAGES["en"], LANGUAGES["de"]


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


def test_it_names_who_is_there(page: Page, stage: Stage) -> None:
    shows(page, "#state", EN["state.idle"])
    stage.scene.show(stage.ada.pictures[3], stage.ada.sounds)
    shows(page, "#headline", "Ada")
    assert page.inner_text("#state") == EN["state.known"]
    assert page.inner_text("#explanation") == EN["reason.accepted"]
    assert 50 <= int(page.inner_text("#confidence-number").rstrip("%")) <= 100
    until(page, "Number(level.getAttribute('aria-valuenow')) > -50")
    # The face that the box is on: the picture is shown as in a mirror, and so is its box.
    page.wait_for_selector("#face-box")
    picture, box = (page.locator(place).bounding_box() for place in ("#camera", "#face-box"))
    assert picture and box and page.evaluate("camera.naturalWidth") == 640
    assert picture["x"] <= box["x"] and box["x"] + box["width"] <= picture["x"] + picture["width"]
    assert 0.05 < box["width"] / picture["width"] < 0.6
    assert_accessible(page)
    assert_fits(page)
    page.reload()  # somebody who is there already is named at once
    shows(page, "#headline", "Ada")
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


def test_enrolment_recognition_and_forgetting(page: Page, stage: Stage) -> None:
    """By clicking through, in German; at each step it is accessible and fits on a small screen."""
    page.select_option("#language", "de")
    stage.scene.show(stage.ben.pictures[0], stage.ben.sounds)
    page.click("nav a[href='#enrol']")
    page.fill("#token", "wrong")
    page.click("#unlock button")
    shows(page, "#unlock .message", DE["refused.401"])
    assert_accessible(page)
    unlock(page, stage, "enrol")
    page.fill("#name", "Ben")
    page.click("#enrol [data-step=person] button")  # without the consent it goes no further
    assert page.is_visible("#enrol [data-step=person]")
    assert_accessible(page)
    assert_fits(page)
    page.check("#consent")
    page.click("#enrol [data-step=person] button")

    page.wait_for_selector("#take")
    stage.scene.show(EMPTY_ROOM, stage.ben.sounds)
    until_kept(page, "#take", ".message:not(:empty)")
    assert page.inner_text("#enrol .message") == DE["reason.no_face"]
    assert_accessible(page)
    show_and_speak(page, stage, stage.ben, DE)
    assert page.inner_text("#check-name") == "Ben"
    assert_accessible(page)
    assert_fits(page)
    page.click("#finish")
    shows(page, "#done-title", "Hallo, Ben")
    shows(page, "#done-text", DE["done.true"])
    assert_accessible(page)

    with Gallery.open(stage.kiosk.gallery, key_file=stage.kiosk.key) as gallery:
        [ben] = [person for person in gallery.people() if person.person == "Ben"]
        assert (ben.faces, ben.clips, ben.consent) == (3, 3, DE["consent.text"])
        assert DE["consent.text"] in [line.consent for line in gallery.audit()]

    page.click("#enrol a.button")
    shows(page, "#headline", "Ben")
    forget_by_keyboard(page, stage)
    page.click("nav a[href='#live']")
    shows(page, "#headline", DE["headline.nobody"])


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


def forget_by_keyboard(page: Page, stage: Stage) -> None:
    """Ben, in German, without a mouse; Ada stays."""
    page.focus("nav a[href='#people']")
    page.keyboard.press("Enter")
    until(page, "document.activeElement.id === 'token'")
    page.keyboard.type(stage.kiosk.token)
    page.keyboard.press("Enter")
    page.wait_for_selector("#people-list li")
    assert page.locator("#people-list li").count() == 2
    assert_accessible(page)
    label = DE["people.forget-name"].format(name="Ben")
    for answer in ("Enter", "Tab Enter"):  # "keep" has the focus first
        tab_to(page, f"document.activeElement.getAttribute('aria-label') === {json.dumps(label)}")
        page.keyboard.press("Enter")
        page.wait_for_selector("#forget")
        assert_accessible(page)
        for key in answer.split():
            page.keyboard.press(key)
        page.wait_for_selector("#forget", state="hidden")
    shows(page, "#people .message", DE["forget.done"].format(name="Ben"))
    assert page.locator("#people-list li").all_inner_texts()[0].startswith("Ada")
    assert page.locator("#people-list li").count() == 1
    assert page.evaluate("document.activeElement.tagName") == "H1"


def tab_to(page: Page, there: str) -> None:
    for _ in range(20):
        if page.evaluate(there):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"not reached by Tab: {there}")


def test_somebody_who_is_enrolled_already(page: Page, stage: Stage) -> None:
    """The name is refused; under another one they are asked whether they are two people."""
    assert stage.ada
    stage.scene.show(stage.ada.pictures[0], stage.ada.sounds)
    unlock(page, stage, "enrol")
    page.fill("#name", "ADA")
    page.check("#consent")
    page.click("#enrol [data-step=person] button")
    shows(page, "#enrol .message", EN["refused.name_taken"])
    page.fill("#name", "Ada's twin")
    page.click("#enrol [data-step=person] button")
    show_and_speak(page, stage, stage.ada, EN)
    page.click("#finish")
    shows(page, "#enrol .message", EN["refused.duplicate"])
    shows(page, "#finish", EN["check.two"])
    page.click("#cancel")
    shows(page, "#headline", "Ada")  # nobody is being enrolled any more
    unlock(page, stage, "people")
    shows(page, "#people-count", EN["people.count"].format(count=1))


def test_the_walk_by_keyboard_alone(page: Page, stage: Stage) -> None:
    stage.scene.show(stage.ben.pictures[0], stage.ben.sounds)
    tab_to(page, "document.activeElement.hash === '#enrol'")
    page.keyboard.press("Enter")
    until(page, "document.activeElement.id === 'token'")
    page.keyboard.type(stage.kiosk.token)
    page.keyboard.press("Enter")
    until(page, "document.activeElement.tagName === 'H1'")
    tab_to(page, "document.activeElement.id === 'name'")
    page.keyboard.type("Carla")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")  # in a form it goes on
    until(page, "document.activeElement.closest('section[data-step=faces]') !== null")
    tab_to(page, "document.activeElement.id === 'take'")
    until_kept(page, "#take", "#angles li.done", lambda: page.keyboard.press("Enter"))
    assert page.evaluate("document.activeElement.id") == "take"  # for the next one
    tab_to(page, "document.activeElement.id === 'cancel'")
    page.keyboard.press("Enter")
    shows(page, "#headline", EN["headline.nobody"])  # no longer enrolling
    page.click("nav a[href='#people']")
    page.wait_for_selector("#token")  # it was forgotten on the way back


def test_an_administration_left_open_closes(page: Page, stage: Stage) -> None:
    page.clock.install()
    page.reload()
    unlock(page, stage, "people")
    page.wait_for_selector("#people-list li")
    page.clock.fast_forward(151_000)
    shows(page, "#closing", EN["closing"].format(seconds=30))
    page.keyboard.press("Shift")  # somebody is there
    shows(page, "#closing", "")
    page.clock.fast_forward(181_000)
    until(page, "location.hash === '#live'")
    page.click("nav a[href='#people']")
    page.wait_for_selector("#token")


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


def test_it_connects_again(page: Page, stage: Stage) -> None:
    shows(page, "#state", EN["state.idle"])
    stage.kiosk.stop()
    shows(page, "#trouble", EN["offline"])
    page.click("nav a[href='#people']")
    page.fill("#token", stage.kiosk.token)
    page.click("#unlock button")
    shows(page, "#unlock .message", EN["refused.0"])
    page.click("nav a[href='#live']")
    stage.kiosk.start()
    script = page.request.get(f"{stage.kiosk.url}page/main.js")  # which an update may have changed
    assert script.ok and script.headers["cache-control"] == "no-cache"
    page.wait_for_selector("#trouble", state="hidden")
    stage.scene.show(stage.ada.pictures[4], stage.ada.sounds)
    shows(page, "#headline", "Ada")
    until(page, "camera.naturalWidth === 640")


@pytest.mark.data
def test_people_of_people30(
    open_page: OpenPage, tried_bundle: Path, data_root: Path, tmp_path: Path
) -> None:
    """Two real people whom no network here has seen: one is enrolled by clicking through and named
    on other pictures, the other stays nobody, and so does the first once they are forgotten."""
    ben, stranger = unlike_people(tried_bundle, data_root / "people30",
                                  ("q003", "q011", "q025", "q028"))
    with on_stage(tried_bundle, tmp_path, ben, stranger) as stage:
        page = open_page(stage.kiosk.url)
        stage.scene.show(ben.pictures[0], ben.sounds)
        shows(page, "#explanation", EN["reason.nobody_enrolled"])
        unlock(page, stage, "enrol")
        page.fill("#name", "Ben")
        page.check("#consent")
        page.click("#enrol [data-step=person] button")
        show_and_speak(page, stage, ben, EN)
        page.click("#finish")
        shows(page, "#done-title", "Hello, Ben")
        page.click("#enrol a.button")
        for picture in ben.pictures[3:5]:
            stage.scene.leave()
            shows(page, "#headline", EN["headline.idle"])
            stage.scene.show(picture, ben.sounds)
            shows(page, "#headline", "Ben")
        stage.scene.leave()
        shows(page, "#headline", EN["headline.idle"])
        stage.scene.show(stranger.pictures[4], stranger.sounds)
        shows(page, "#headline", EN["headline.nobody"])
        stage.scene.show(ben.pictures[3], ben.sounds)
        unlock(page, stage, "people")
        page.click("#people-list button")
        page.click("#forget .danger")
        shows(page, "#people-count", EN["people.none"])
        page.click("nav a[href='#live']")
        shows(page, "#headline", EN["headline.nobody"])
