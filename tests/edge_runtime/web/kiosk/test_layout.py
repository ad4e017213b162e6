"""On every screen the name, the face and the hint are in view, in light and in dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import pytest

from edge_runtime.signals.detection import Picture
from tests.edge_runtime.web.kiosk.staging import OpenPage, Stage
from tests.edge_runtime.web.kiosk.test_languages import LANGUAGES
from tests.edge_runtime.web.kiosk.visitor import assert_accessible, assert_fits, shows

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
EN = LANGUAGES["en"]
SIZES = ((800, 480), (1024, 600), (1280, 720), (1920, 1080))  # the first: the Raspberry Pi's own
PLACES = ("#headline", "#camera", "#face-box", "#face-hint", "#explanation", "#confidence",
          "#threshold", "#level")
FILLED = 0.7  # of its frame, at least, by the camera's picture


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_name_face_and_hint_are_in_view(
    open_page: OpenPage, stage: Stage, scheme: str
) -> None:
    assert stage.ada
    stage.scene.show(with_somebody_behind(stage.ada.pictures[3], stage.stranger.pictures[0]),
                     stage.ada.sounds)
    page = open_page(stage.kiosk.url, color_scheme=scheme)
    shows(page, "#headline", "Ada")
    shows(page, "#face-hint", EN["hint.alone"])
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(500)  # until the box has moved along
        assert_in_view(page, width, height)
        assert filled(page) >= FILLED, (width, height)
        assert_fits(page)
        assert_accessible(page)
    stage.scene.leave()


def with_somebody_behind(picture: Picture, other: Picture) -> Picture:
    """Somebody else, smaller, in the corner of the same picture."""
    height, width = picture.shape[:2]
    small = cv2.resize(other, (width * 9 // 20, height * 9 // 20), interpolation=cv2.INTER_AREA)
    both = picture.copy()
    both[height - small.shape[0] :, width - small.shape[1] :] = small
    return both


def assert_in_view(page: Page, width: int, height: int) -> None:
    for place in PLACES:
        box = page.locator(place).bounding_box()
        assert box and box["width"] and box["height"], (place, width, height)
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, (place, width, height, box)
        assert box["y"] >= 0 and box["y"] + box["height"] <= height, (place, width, height, box)


def filled(page: Page) -> float:
    """The share of its frame that the camera's picture fills."""
    boxes = [page.locator(place).bounding_box() for place in ("#camera", ".picture")]
    picture, frame = (box["width"] * box["height"] for box in boxes if box)
    return picture / frame
