"""Which files are pictures and sounds by their endings."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile
from PIL import Image

from edge_runtime.signals.picture_format import (
    PICTURE_FORMATS,
    SOUND_FORMATS,
    is_picture,
    is_sound,
)


@pytest.mark.parametrize("name", [
    "a.wav", "a.WAV", "a.flac", "a.ogg", "a.oga", "a.opus", "a.mp3", "a.aif", "a.aiff"])
def test_sounds(name: str) -> None:
    assert is_sound(Path(name)) and not is_picture(Path(name))


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.png", "a.webp", "a.tif", "a.pgm"])
def test_pictures(name: str) -> None:
    assert is_picture(Path(name)) and not is_sound(Path(name))


@pytest.mark.parametrize("name", [
    "a.txt", "wav", "a", "a.raw", ".wav.part", "a.eps", "a.pdf", "a.mpg", "a.mat", "a.heic"])
def test_neither(name: str) -> None:
    assert not is_picture(Path(name)) and not is_sound(Path(name))


def test_the_libraries_know_them_by_these_names() -> None:
    Image.init()
    assert set(PICTURE_FORMATS) <= set(Image.OPEN)
    assert set(SOUND_FORMATS) <= set(soundfile.available_formats())
