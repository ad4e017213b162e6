"""How files of phones become files that are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime.errors import InputError
from edge_runtime.signals.face import read_picture
from edge_runtime.signals.picture_format import how_to_convert
from edge_runtime.signals.voice import read_clip


@pytest.mark.parametrize("name", ["photo.heic", "IMG_1.HEIF", "film.mp4", "film.3gp", "raw.CR2"])
def test_a_picture_that_is_not_read_says_how_to_convert_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(InputError, match=f"; convert it, as with '{how_to_convert(name, 'face')}"
                       .replace("|", r"\|")):
        read_picture(tmp_path / name)


@pytest.mark.parametrize("name", ["memo.m4a", "memo.WebM", "memo.3gp", "memo.amr", "memo.mp4"])
def test_a_clip_that_is_not_read_says_how_to_convert_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\0\0\0\x18ftypM4A ")
    with pytest.raises(InputError, match=f"as with '{how_to_convert(name, 'voice')}'$"):
        read_clip(tmp_path / name)


def test_others_are_left_as_they_are() -> None:
    assert how_to_convert("photo.jpg", "face") is None
    assert how_to_convert("notes.txt", "voice") is None
