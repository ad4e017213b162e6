"""The page in a browser with a fake camera and microphone: from the start to forgetting."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from edge_runtime.crop import Square, cut
from edge_runtime.gallery.limits import Odds
from edge_runtime.identify import Identifier
from edge_runtime.phone.export import export_web
from tests.data.phone_vectors.decisions import LIMITS
from tests.edge_runtime.phone.conftest import Browse
from tests.edge_runtime.phone.devices import Picture, scenes, write_camera, write_microphone
from tests.edge_runtime.phone.serving import NOT_ISOLATED, served

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIDE, DOWN = 1.4, -0.17  # of BLAZEFACE_MARGIN in picture.js
# Whoever is enrolled alone is named where a cosine is above a half.
SURE = msgspec.structs.replace(LIMITS, odds={
    "face": Odds({"face": 20.0}, -10.0), "voice": Odds({"voice": 20.0}, -10.0),
    "both": Odds({"face": 10.0, "voice": 10.0}, -10.0)})

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


class Person:
    """A synthetic person's scenes and voice as files for a browser."""

    def __init__(self, folder: Path, people: Path, number: int) -> None:
        self.scenes = scenes(number, 6)
        clips = sorted((people / f"synthetic_{number:03}" / "voice").iterdir())
        self.sound = np.concatenate([soundfile.read(clip, dtype="float32")[0] for clip in clips])
        self.camera, self.microphone = folder / f"{number}.y4m", folder / f"{number}.wav"
        write_camera(self.camera, [scene for scene in self.scenes for _ in range(5)])
        write_microphone(self.microphone, self.sound)

    @property
    def devices(self) -> dict[str, Path]:
        return {"camera": self.camera, "microphone": self.microphone}


@pytest.fixture
def person(tmp_path: Path, small_people: Path) -> Person:
    return Person(tmp_path, small_people, 1)


def begin(page: Page, address: str) -> None:
    """Opens the page, and camera and microphone."""
    page.goto(address)
    expect(page.locator("#begin")).to_be_enabled(timeout=60_000)
    page.click("#begin")
    expect(page.locator("#cost")).to_contain_text("threads", timeout=60_000)


def enrol(page: Page, name: str) -> None:
    """Walks through the enrolment."""
    page.click("[data-go=enrol]")
    page.fill("#new-name", name)
    page.check("#consent")
    page.click("#who button")
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
        share = int(page.inner_text("#confidence-number").removesuffix("%"))
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
    export_web(small_bundles["mixed_wi8"], tmp_path / "out", limits=SURE, allow_uncertified=True)
    with browse(**person.devices) as context:
        page = context.pages[0]
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        with served(tmp_path / "out") as address:
            begin(page, address)
            expect(page.locator("#cost")).not_to_contain_text("threads: 1)")
            enrol(page, "Zoë Example")
            expect(page.locator("#name")).to_have_text("Zoë Example", timeout=60_000)
            expect(page.locator("body")).to_have_attribute("data-state", "known")
            assert serious(page) == []
        stored = page.evaluate(STORED)
        assert not stored["exported"] and not stored["extractable"]
        assert len(stored["rows"]) == 1 and "Example" not in stored["rows"][0]
        begin(page, address)  # by the service worker: nobody serves it any more
        expect(page.locator("#cost")).not_to_contain_text("threads: 1)")  # still isolated
        expect(page.locator("#name")).to_have_text("Zoë Example", timeout=60_000)
        page.click("[data-go=people]")
        expect(page.locator("#list")).to_contain_text("faces: 6, sentences: 3")
        page.click("#list button")
        assert serious(page) == []
        page.click("#forget-go")
        expect(page.locator("#people-note")).to_have_text(
            "Nobody is enrolled on this phone.")
        assert page.evaluate(STORED)["rows"] == []
        assert errors == []


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
