"""Enrolling and forgetting on the kiosk's page, in a real browser, by mouse and by keyboard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from edge_runtime.gallery.store import Gallery
from tests.edge_runtime.web.kiosk.staging import (
    KIOSK_SCREEN,
    SMALLEST_SCREEN,
    OpenPage,
    Stage,
    on_stage,
    real_person,
    told_apart,
)
from tests.edge_runtime.web.kiosk.stand_ins import EMPTY_ROOM
from tests.edge_runtime.web.kiosk.test_languages import LANGUAGES
from tests.edge_runtime.web.kiosk.visitor import (
    assert_accessible,
    assert_fits,
    show_and_speak,
    shows,
    tab_to,
    unlock,
    until,
    until_kept,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
EN, DE = LANGUAGES["en"], LANGUAGES["de"]
SAID = """() => {
  window.said = [];
  new MutationObserver(() => said.push(headline.textContent)).observe(headline, {childList: true});
}"""


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
    for screen in (SMALLEST_SCREEN, KIOSK_SCREEN):
        page.set_viewport_size(screen)
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
    page.evaluate(SAID)
    shows(page, "#done-text", DE["done.true"])
    assert page.get_attribute("body", "data-state") == "known"  # not by another judgement
    assert_accessible(page)

    with Gallery.open(stage.kiosk.gallery, key_file=stage.kiosk.key) as gallery:
        [ben] = [person for person in gallery.people() if person.person == "Ben"]
        assert (ben.faces, ben.clips, ben.consent) == (3, 3, DE["consent.text"])
        assert DE["consent.text"] in [line.consent for line in gallery.audit()]

    page.click("#enrol a.button")
    shows(page, "#headline", "Ben")
    assert DE["headline.nobody"] not in page.evaluate("window.said")
    forget_by_keyboard(page, stage)
    page.click("nav a[href='#live']")
    shows(page, "#headline", DE["headline.nobody"])


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


def test_who_cancels_too_late_is_told_so(page: Page, stage: Stage) -> None:
    """Something else that has the token has finished what the page began."""
    stage.scene.show(stage.ben.pictures[0], stage.ben.sounds)
    unlock(page, stage, "enrol")
    page.fill("#name", "Dora")
    page.check("#consent")
    page.click("#enrol [data-step=person] button")
    until_kept(page, "#take", "#angles li.done")
    with httpx.Client(base_url=stage.kiosk.url, timeout=60, headers={
            "Authorization": f"Bearer {stage.kiosk.token}"}) as owner:
        assert owner.post("api/enrolment/finish").json()["person"] == "Dora"
        page.click("#cancel")
        shows(page, "#closing", EN["refused.too_late"])
        assert_accessible(page)
        assert owner.delete("api/people/Dora").json()["left"] == 0


def test_the_enrolment_by_keyboard_alone(page: Page, stage: Stage) -> None:
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


@pytest.mark.data
def test_people_of_people30(
    open_page: OpenPage, tried_bundle: Path, data_root: Path, tmp_path: Path
) -> None:
    """Two real people whom no network here has seen: one is enrolled by clicking through and named
    on other pictures, the other stays nobody, and so does the first once they are forgotten."""
    people = [real_person(data_root / "people30" / name)
              for name in ("q003", "q007", "q011", "q019", "q025", "q028")]
    ben, stranger = told_apart(tried_bundle, people, 2)
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
        shows(page, "#headline", EN["nobody.nobody_enrolled"])
