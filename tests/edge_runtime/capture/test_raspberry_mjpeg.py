"""A pipe of JPEG pictures is cut into the same pictures, however its bytes come."""

from __future__ import annotations

import io
import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge_runtime.capture import raspberry
from edge_runtime.capture.raspberry import split_jpegs
from tests.edge_runtime.capture.stand_ins import jpeg, plain


def noisy(seed: int, **options: object) -> bytes:
    """A picture whose compressed data hold every byte."""
    picture = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=95, **options)
    return file.getvalue()


def with_preview(picture: bytes) -> bytes:
    """A picture with another one in an APP1 segment, as cameras write previews."""
    preview = jpeg(plain(90, 16, 16))
    segment = b"\xff\xe1" + (len(preview) + 2).to_bytes(2, "big") + preview
    return picture[:2] + segment + picture[2:]


PICTURES = [jpeg(plain(200)), noisy(1), with_preview(noisy(2)), noisy(3, progressive=True),
            noisy(4, restart_marker_blocks=1), with_preview(jpeg(plain(30)))]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


@given(st.lists(st.sampled_from(PICTURES), max_size=4), st.lists(st.integers(0, 10**6)))
def test_the_same_pictures_come_out(pictures: list[bytes], places: list[int]) -> None:
    assert list(split_jpegs(cut(b"".join(pictures), places))) == pictures


def test_byte_by_byte() -> None:
    data = PICTURES[2] + PICTURES[0]
    assert list(split_jpegs(data[i:i + 1] for i in range(len(data)))) == [PICTURES[2], PICTURES[0]]


@given(st.binary(max_size=200), st.lists(st.integers(0, 10**6)))
def test_what_is_no_picture_is_left_out(noise: bytes, places: list[int]) -> None:
    noise = noise.replace(b"\xff\xd8", b"")
    found = list(split_jpegs(cut(b"\x00" + noise + b"\x00" + PICTURES[1] + noise, places)))
    assert found == [PICTURES[1]]


@given(st.binary(max_size=2_000), st.lists(st.integers(0, 10**6)))
def test_wild_bytes_do_no_harm(data: bytes, places: list[int]) -> None:
    for picture in split_jpegs(cut(data, places)):
        assert picture.startswith(b"\xff\xd8") and picture.endswith(b"\xff\xd9")


def test_after_a_damaged_picture_the_next_one_comes() -> None:
    damaged = PICTURES[1][:30] + b"\x00" * 8 + PICTURES[1][38:]
    assert list(split_jpegs([damaged + PICTURES[0] + PICTURES[1]]))[-2:] == [PICTURES[0],
                                                                            PICTURES[1]]


def test_a_picture_without_end_is_thrown_away() -> None:
    endless = PICTURES[1][:-2] + b"\x11" * raspberry.MAX_BYTES
    assert list(split_jpegs([endless, PICTURES[0]])) == [PICTURES[0]]
