"""A kiosk with people who may come, and a browser before it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations, permutations
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.decision.identify import Identifier
from edge_runtime.gallery.store import Gallery
from edge_runtime.signals.face import read_picture
from edge_runtime.signals.voice import read_clip
from tests.edge_runtime.web.kiosk.galleries import Embedded, face_embeddings, thresholds_between
from tests.edge_runtime.web.kiosk.stand_ins import Kiosk, Person, Scene, in_a_room

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

PATIENCE_MS = 60_000  # a busy machine is no failure
KIOSK_SCREEN = {"width": 1024, "height": 600}
SMALLEST_SCREEN = {"width": 800, "height": 480}  # the Raspberry Pi's own
DRAWN = range(1, 13)  # people of whom three are on stage

OpenPage = Callable[..., "Page"]
"""open_page(url, **options of the browser's context)"""


@dataclass
class Stage:
    """ada, where there is one, is enrolled; ben will be; the stranger never is."""

    kiosk: Kiosk
    scene: Scene
    ben: Person
    stranger: Person
    ada: Person | None = None


@contextmanager
def on_stage(
    bundle: Path, folder: Path, ben: Person, stranger: Person, ada: Person | None = None
) -> Iterator[Stage]:
    """Everything of the kiosk lies in `folder`, which exists."""
    scene = Scene(folder)
    kiosk = Kiosk(folder, bundle, scene)
    identifier = Identifier.load(bundle)
    known = [Embedded.of(identifier, person) for person in (ada, ben) if person]
    thresholds = thresholds_between(known, [Embedded.of(identifier, stranger)])
    with Gallery.open(kiosk.gallery, identifier.manifest, kiosk.key, mode="create",
                      force=True) as gallery:
        gallery.set_thresholds(thresholds)
        if ada:
            gallery.enroll("Ada", known[0].samples(), consent="to be greeted")
    try:
        kiosk.start()
        yield Stage(kiosk, scene, ben, stranger, ada)
    finally:
        kiosk.stop()
        scene.camera.stop()


def told_apart(bundle: Path, people: Sequence[Person], count: int) -> tuple[Person, ...]:
    """Of some people, those whose faces the bundle's network tells apart best: no test hangs on
    what a training happened to learn."""
    identifier = Identifier.load(bundle)
    seen = {number: rows for number, person in enumerate(people)
            if (rows := face_embeddings(identifier, person)) is not None}

    def gap(chosen: tuple[int, ...]) -> float:
        gaps = [Embedded({"face": seen[one]}).gap(Embedded({"face": seen[other]}), "face")
                for one, other in permutations(chosen, 2)]
        return min(own for own, _ in gaps) - max(others for _, others in gaps)

    return tuple(people[number] for number in max(combinations(seen, count), key=gap))


def real_person(folder: Path) -> Person:
    """Of a data set of face crops."""
    faces, clips = (sorted((folder / modality).iterdir()) for modality in ("face", "voice"))
    return Person([in_a_room(read_picture(file), 300) for file in faces[:7]],
                  [read_clip(file) for file in clips[:3]])


def chromium() -> str | None:
    """The system's, if it has one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def launch(playwright: Playwright, program: str) -> Browser:
    sandbox = [] if os.geteuid() else ["--no-sandbox"]  # which root cannot have
    return playwright.chromium.launch(executable_path=program, args=sandbox)
