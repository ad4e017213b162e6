"""A later export takes an earlier one's place on the phone: as a whole, and soon."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, expect

from edge_runtime.web.export import export_web
from tests.edge_runtime.web.phone.conftest import Browse
from tests.edge_runtime.web.phone.devices import Person
from tests.edge_runtime.web.phone.serving import served
from tests.edge_runtime.web.phone.test_page import begin
from tests.edge_runtime.web.test_export import LANGUAGES

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PLAIN: Mapping[str, str] = {}  # as python -m http.server: a browser guesses how long it may keep
MONTH_S = 30 * 86_400
CACHING = {"Cache-Control": "max-age=600"}  # as on GitHub Pages
BUSY = "navigator.serviceWorker.getRegistration().then((it) => Boolean(it?.installing))"
ENROL = """async () => {
  const { openGallery } = await import("./gallery.js");
  const manifest = await (await fetch("bundle/manifest.json")).json();
  const face = new Float32Array(manifest.files.face.embedding_dim).fill(1);
  await (await openGallery(manifest)).enroll("Zoë", "yes", { face: [face], voice: [] });
}"""
PEOPLE = """async () => {
  const { openGallery } = await import("./gallery.js");
  const manifest = await (await fetch("bundle/manifest.json")).json();
  const people = await (await openGallery(manifest)).people();
  return people.map(({ name, foreign }) => [name, foreign]);
}"""

Export = Callable[[str], None]


@pytest.fixture
def out(tmp_path: Path, third_party: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def export(out: Path, small_bundles: dict[str, Path]) -> Export:
    """export(recipe): the bundle of that recipe, in the place of what was there, which by then is
    a month old: so long does a browser take it for the newest."""
    def exported(recipe: str) -> None:
        export_web(small_bundles[recipe], out, allow_uncertified=True)
        if not next(exports):
            age(out, MONTH_S)

    exports = itertools.count()
    return exported


def age(folder: Path, seconds: float) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - seconds,) * 2)


def visit(page: Page, address: str) -> None:
    """Once more where the page was loading itself anew, by an export just taken, and aborted it."""
    try:
        page.goto(address)
    except Error as error:
        if "ERR_ABORTED" not in str(error):
            raise
        page.wait_for_load_state()
        page.goto(address)


def load(page: Page, address: str) -> None:
    """Until the page can be used, and what the server has since is fetched."""
    with page.expect_response("**/export.json"):
        visit(page, address)
    expect(page.locator("#begin")).to_be_enabled(timeout=60_000)
    page.wait_for_timeout(1500)  # until the browser has begun to fetch
    busy = True
    while busy:
        page.wait_for_timeout(200)
        with contextlib.suppress(Error):  # the page is just being loaded anew
            busy = page.evaluate(BUSY)


def decides(page: Page, recipe: str) -> None:
    expect(page.locator("#begin")).to_be_enabled(timeout=60_000)
    expect(page.locator("#bundle")).to_contain_text(f"Bundle {recipe}, ", timeout=60_000)


@pytest.mark.parametrize("headers", [PLAIN, CACHING], ids=["plain", "caching"])
def test_the_second_load_takes_a_new_export_and_one_taken_back(
    browse: Browse, out: Path, export: Export, headers: Mapping[str, str]
) -> None:
    export("float32")
    with browse() as context:
        page = context.pages[0]
        with served(out, headers) as address:
            load(page, address)
            decides(page, "float32")
            page.evaluate(ENROL)
            older = out.rename(out.with_name("older"))
            export("mixed_wi8")
            load(page, address)
            visit(page, address)
            decides(page, "mixed_wi8")
            assert page.evaluate(PEOPLE) == [["Zoë", True]]  # of no use by other networks
        visit(page, address)  # by the service worker: nobody serves it any more
        decides(page, "mixed_wi8")
        out.rename(out.with_name("newer"))
        older.rename(out)  # whose files are older than those that the browser has
        with served(out, headers, int(address.rstrip("/").rpartition(":")[2])):
            load(page, address)
            visit(page, address)
            decides(page, "float32")
            assert page.evaluate(PEOPLE) == [["Zoë", False]]


def test_an_export_that_is_not_whole_is_not_taken(
    browse: Browse, out: Path, export: Export
) -> None:
    """A file of it is another one's, then is missing; then all is there."""
    export("float32")
    with served(out, PLAIN) as address, browse() as context:
        page = context.pages[0]
        load(page, address)
        export("mixed_wi8")
        face = out / "bundle" / "face.tflite"
        whole = face.read_bytes()
        face.write_bytes(whole[:-1] + b"?")
        load(page, address)
        expect(page.locator("#later")).to_have_text(LANGUAGES["en"]["later.not_whole"])
        face.unlink()
        load(page, address)
        decides(page, "float32")
        face.write_bytes(whole)
        load(page, address)
        visit(page, address)
        decides(page, "mixed_wi8")


def test_a_page_in_use_stays_of_one_export(
    browse: Browse, out: Path, export: Export, person: Person
) -> None:
    export("float32")
    with served(out, PLAIN) as address, browse(**person.devices) as context:
        page = context.pages[0]
        load(page, address)
        begin(page, address)
        export("mixed_wi8")
        change_german(out, {"nav.people": "Von später"})
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as looked at again
        expect(page.locator("#later")).to_have_text(LANGUAGES["en"]["later.newer"],
                                                    timeout=60_000)
        page.select_option("#language", "de")
        expect(page.locator("[data-go=people]")).to_have_text(LANGUAGES["de"]["nav.people"])
        expect(page.locator("#bundle")).to_contain_text("Bundle float32, erstellt")
        visit(page, address)
        expect(page.locator("[data-go=people]")).to_have_text("Von später", timeout=60_000)
        decides(page, "mixed_wi8")


def change_german(out: Path, texts: dict[str, str]) -> None:
    """As if another version of the page had been exported."""
    german, [worker] = out / "languages" / "de.json", out.glob("service-worker-*.js")
    before = hashlib.sha256(german.read_bytes()).hexdigest()
    german.write_text(json.dumps(LANGUAGES["de"] | texts))
    after = hashlib.sha256(german.read_bytes()).hexdigest()
    worker.write_text(worker.read_text().replace(before, after))
