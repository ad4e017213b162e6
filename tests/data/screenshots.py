"""What the documentation's pictures of pages have in common."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

FOLDER = Path(__file__).resolve().parent
COLOURS = 128  # of the palette, which keeps a picture under 150 kB


def take(page: Page, name: str) -> None:
    """Writes tests/data/<name>.png anew."""
    page.wait_for_timeout(1000)  # until what moves has come to rest
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot.quantize(COLOURS).save(FOLDER / f"{name}.png", optimize=True)
