"""The page in a browser with a fake camera and microphone: from the start to forgetting."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from edge_runtime.decision.identify import Identifier
from edge_runtime.decision.similarity import LogOdds, Similarity
from edge_runtime.signals.detection import Square, cut
from edge_runtime.web.export import export_web
from tests.data.phone_vectors.decisions import THRESHOLDS
from tests.edge_runtime.web.phone.conftest import Browse
from tests.edge_runtime.web.phone.devices import Person, Picture, side_by_side, write_camera
from tests.edge_runtime.web.phone.serving import NOT_ISOLATED, served
from tests.edge_runtime.web.test_export import LANGUAGES

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EN = LANGUAGES["en"]
SIDE, DOWN = 1.4, -0.17  # of BLAZEFACE_MARGIN in picture.js
# Whoever is enrolled alone is named where a cosine is above a half.
SURE = msgspec.structs.replace(THRESHOLDS, similarity=Similarity(
    LogOdds({"face": 20.0}, -10.0), LogOdds({"voice": 20.0}, -10.0),
    LogOdds({"face": 10.0, "voice": 10.0}, -10.0)))
# No two samples, however alike, are of one person.
NEVER = msgspec.structs.replace(SURE, similarity=msgspec.structs.replace(
    SURE.similarity, face=LogOdds({"face": 20.0}, -100.0)))

STORED = """async () => {
  const open = indexedDB.open("visavox");
  await new Promise((resolve) => { open.onsuccess = resolve; });
  const all = (name) => new Promise((resolve) => {
    const request = open.result.transaction(name).objectStore(name).getAll();
    request.onsuccess = () => resolve(request.result);
  });
  const [key] = await all("keys");
  const rows = await all("people");
  open.result.close();
  const exported = await crypto.subtle.exportKey("raw", key).then(() => true, () => false);
  return { exported, extractable: key.extractable, rows: rows.map(({ sealed }) =>
    new TextDecoder("latin1").decode(sealed)) };
}"""


# As a browser refuses what the user does not allow: refuse(wanted) says whether.
REFUSE = """globalThis.refuse = () => false;
const granted = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  if (refuse(wanted)) throw new DOMException("Permission denied", "NotAllowedError");
  return granted(wanted);
}"""
SAID = """addEventListener("DOMContentLoaded", () => {
  window.said = [];
  const name = document.getElementById("name");
  new MutationObserver(() => said.push(name.textContent)).observe(name, { childList: true });
});"""


def begin(page: Page, address: str) -> None:
    """Opens the page, and camera and microphone."""
    page.goto(address)
    expect(page.locator("#begin")).to_be_enabled(timeout=60_000)
    page.click("#begin")
    expect(page.locator("#cost")).to_contain_text("threads", timeout=60_000)


def begin_enrolment(page: Page, name: str) -> None:
    """Goes to the enrolment, and gives name and consent."""
    page.click("[data-go=enrol]")
    page.fill("#new-name", name)
    page.check("#consent")
    page.click("#who button")


def enrol(page: Page, name: str) -> None:
    """Walks through the enrolment."""
    begin_enrolment(page, name)
    for sentence in ("old clock", "On Sunday", "Please bring"):
        expect(page.locator("#sentence")).to_contain_text(sentence, timeout=60_000)
        page.click("#go")
        expect(page.locator("#instruction")).to_have_text("Read now …")


def serious(page: Page) -> list[str]:
    """What an accessibility check finds that keeps people out."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in found
            if rule["impact"] in ("serious", "critical")]


def test_it_decides_as_python_does_from_the_camera_on(
    browse: Browse, third_party: Path, small_bundles: dict[str, Path], person: Person,
    tmp_path: Path,
) -> None:
    export_web(small_bundles["mixed_wi8"], tmp_path / "out", allow_uncertified=True)
    identifier = Identifier.load(small_bundles["mixed_wi8"], allow_uncertified=True)
    still = tmp_path / "still.y4m"
    write_camera(still, person.scenes[:1])
    with served(tmp_path / "out", NOT_ISOLATED) as address, \
            browse(still, person.microphone) as context:
        page = context.pages[0]
        begin(page, address)
        expect(page.locator("#cost")).to_contain_text("threads: 1")
        expect(page.locator("#state")).to_have_text("Most like")
        page.wait_for_timeout(3_000)
        name = page.inner_text("#name")
        share = float(page.inner_text("#confidence-number").removesuffix("%"))
        box = page.eval_on_selector("#box", "(box) => ({...box.dataset})")
    expected = identifier.identify(face=cropped(person.scenes[0], box), voice=person.sound)
    assert name == expected.top[0].person
    assert abs(share / 100 - expected.top[0].score) < 0.03  # of another second of the sound


def cropped(picture: Picture, box: dict[str, str]) -> Picture:
    left, top, width, height = (int(box[side]) for side in ("left", "top", "width", "height"))
    longer = max(width, height)
    side = round(SIDE * longer)
    return cut(picture, Square(round(left + width / 2 - side / 2),
                               round(top + height / 2 + DOWN * longer - side / 2), side))


def test_enrolled_recognised_offline_and_forgotten(
    browse: Browse, third_party: Path, small_bundles: dict[str, Path], person: Person,
    tmp_path: Path,
) -> None:
    export_web(small_bundles["mixed_wi8"], tmp_path / "out", thresholds=SURE,
               allow_uncertified=True)
    with browse(**person.devices) as context:
        page = context.pages[0]
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        with served(tmp_path / "out") as address:
            begin(page, address)
            assert page.evaluate("crossOriginIsolated")
            enrol(page, "Zoë Example")
            expect(page.locator("#name")).to_have_text("Zoë Example", timeout=60_000)
            expect(page.locator("body")).to_have_attribute("data-state", "known")
            assert serious(page) == []
        stored = page.evaluate(STORED)
        assert not stored["exported"] and not stored["extractable"]
        assert len(stored["rows"]) == 1 and "Example" not in stored["rows"][0]
        page.add_init_script(SAID)
        begin(page, address)  # by the service worker: nobody serves it any more
        assert page.evaluate("crossOriginIsolated")
        expect(page.locator("#name")).to_have_text("Zoë Example", timeout=60_000)
        expect(page.locator("#threshold")).to_have_text("Named from 77% on")
        assert EN["headline.nobody"] not in page.evaluate("window.said")
        page.click("[data-go=people]")
        expect(page.locator("#list")).to_contain_text("faces: 6, sentences: 3")
        page.click("#list button")
        assert serious(page) == []
        page.click("#forget-go")
        expect(page.locator("#people-note")).to_have_text(
            "Nobody is enrolled on this phone.")
        assert page.evaluate(STORED)["rows"] == []
        assert errors == []


def test_a_camera_that_goes_away_and_comes_back(
    browse: Browse, third_party: Path, small_bundles: dict[str, Path], person: Person,
    tmp_path: Path,
) -> None:
    """Nobody is named by its last picture, which the page still shows."""
    export_web(small_bundles["mixed_wi8"], tmp_path / "out", allow_uncertified=True)
    with served(tmp_path / "out") as address, browse(**person.devices) as context:
        page = context.pages[0]
        begin(page, address)
        expect(page.locator("#state")).to_have_text(EN["state.likely"], timeout=60_000)
        page.evaluate(f"{REFUSE}; refuse = () => true; video.srcObject.getTracks()[0].stop();"
                      "video.srcObject.getTracks()[1].stop()")
        expect(page.locator("#away")).to_have_text(EN["away.camera_lost"])
        expect(page.locator("#name")).to_have_text(EN["headline.idle"], timeout=60_000)
        assert serious(page) == []
        page.evaluate("refuse = () => false")
        expect(page.locator("#state")).to_have_text(EN["state.likely"], timeout=60_000)
        expect(page.locator("#away")).to_be_empty()


def test_without_a_microphone_a_face_alone_will_do(
    browse: Browse, third_party: Path, small_bundles: dict[str, Path], person: Person,
    tmp_path: Path,
) -> None:
    export_web(small_bundles["mixed_wi8"], tmp_path / "out", thresholds=SURE,
               allow_uncertified=True)
    with served(tmp_path / "out") as address, browse(**person.devices) as context:
        page = context.pages[0]
        page.add_init_script(f"{REFUSE}; refuse = (wanted) => wanted.audio")
        begin(page, address)
        expect(page.locator("#away")).to_have_text(EN["away.no_microphone"])
        begin_enrolment(page, "Zoë")
        expect(page.locator("#step")).to_have_text("Step 1 of 2")
        expect(page.locator("#name")).to_have_text("Zoë", timeout=90_000)
        page.click("[data-go=people]")
        expect(page.locator("#list")).to_contain_text("faces: 6, sentences: 0")


def test_samples_are_compared_by_the_fitted_log_odds(
    browse: Browse, third_party: Path, small_bundles: dict[str, Path], person: Person,
    tmp_path: Path,
) -> None:
    export_web(small_bundles["mixed_wi8"], tmp_path / "out", thresholds=NEVER,
               allow_uncertified=True)
    with served(tmp_path / "out") as address, browse(**person.devices) as context:
        page = context.pages[0]
        page.add_init_script(f"{REFUSE}; refuse = (wanted) => wanted.audio")
        begin(page, address)
        begin_enrolment(page, "Zoë")
        expect(page.locator("#trouble")).to_have_text(EN["trouble.face_samples_disagree"],
                                                      timeout=90_000)
        assert page.evaluate(STORED)["rows"] == []


def test_nobody_is_enrolled_beside_somebody_else(
    browse: Browse, third_party: Path, small_bundles: dict[str, Path], person: Person,
    tmp_path: Path,
) -> None:
    """Identifying takes the largest of the faces."""
    export_web(small_bundles["mixed_wi8"], tmp_path / "out", allow_uncertified=True)
    two = tmp_path / "two.y4m"
    write_camera(two, [side_by_side(1, 2)])
    with served(tmp_path / "out") as address, browse(two, person.microphone) as context:
        page = context.pages[0]
        begin(page, address)
        expect(page.locator("#hint")).to_have_text(EN["flaw.several_faces"], timeout=60_000)
        expect(page.locator("#state")).to_have_text(EN["state.likely"], timeout=60_000)
        expect(page.locator("#stage")).to_have_class(re.compile("good"))
        begin_enrolment(page, "Zoë")
        expect(page.locator("#hint")).to_have_text(EN["enrol.several_faces"], timeout=60_000)
        expect(page.locator("#stage")).not_to_have_class(re.compile("good"))
        page.wait_for_timeout(4_000)
        expect(page.locator("#instruction")).to_have_text(EN["angle.front"])
        assert page.eval_on_selector("#progress", "(bar) => bar.value") == 0
        assert serious(page) == []
        page.click("#cancel")
        expect(page.locator("#who")).to_be_visible(timeout=60_000)
        assert page.evaluate(STORED)["rows"] == []


def test_what_went_wrong_is_said(
    browse: Browse, third_party: Path, small_bundles: dict[str, Path], person: Person,
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    export_web(small_bundles["float32"], out, allow_uncertified=True)
    (out / "bundle" / "face.tflite").write_bytes(b"damaged")
    with served(out) as address, browse(**person.devices) as context:
        page = context.pages[0]
        page.goto(address)
        expect(page.locator("#trouble")).to_have_text(
            "face.tflite is damaged. Copy the exported folder again.", timeout=60_000)
        page.select_option("#language", "de")
        expect(page.locator("#start h1")).to_have_text("Wer ist da?")
        assert serious(page) == []
        assert re.fullmatch("de|de-.*", page.get_attribute("html", "lang") or "")
