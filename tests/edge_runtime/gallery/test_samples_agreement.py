"""Samples of one person have to agree; which one does not is said, with its cosine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge_runtime.decision.similarity import LogOdds, Similarity
from edge_runtime.errors import GalleryError
from edge_runtime.gallery.samples import (
    LEAST_COSINE,
    LEAST_SHARE,
    SAME_PERSON_COSINE,
    TWO_PEOPLE,
    NewSample,
    check_agreement,
)

SamplesOf = Callable[..., list[NewSample]]


@pytest.mark.parametrize("count", [1, 2, 3, 20])
def test_samples_that_agree(samples_of: SamplesOf, count: int) -> None:
    for seed in range(5):
        check_agreement(samples_of(seed, count, count))


@pytest.mark.parametrize("modality", ["face", "voice"])
@pytest.mark.parametrize("count", [3, 4, 20])
def test_one_of_somebody_else(samples_of: SamplesOf, modality: str, count: int) -> None:
    samples = samples_of(1, count, count)
    place = next(i for i, s in enumerate(samples) if s.modality == modality) + count // 2
    other = next(s for s in samples_of(2) if s.modality == modality)
    samples[place] = replace(other, source="stranger.file")
    with pytest.raises(GalleryError) as caught:
        check_agreement(samples)
    word = {"face": "faces", "voice": "clips"}[modality]
    assert str(caught.value).startswith(f"stranger.file: does not agree with the other {word}, ")
    assert "more like it" not in str(caught.value)


def test_two_of_two_people(samples_of: SamplesOf) -> None:
    with pytest.raises(GalleryError, match=r"face0.png: does not agree with the other faces"):
        check_agreement([samples_of(1)[0], replace(samples_of(2)[0])])


@pytest.mark.parametrize(("first", "second"), [(8, 3), (4, 4), (10, 10), (3, 8), (2, 2)])
def test_two_people_under_one_name(samples_of: SamplesOf, first: int, second: int) -> None:
    """However many samples are of each: half of them outvoted nobody."""
    one = [replace(s, source=f"one{i}.png") for i, s in enumerate(samples_of(1, first, 0))]
    other = [replace(s, source=f"two{i}.png") for i, s in enumerate(samples_of(2, second, 0))]
    with pytest.raises(GalleryError) as caught:
        check_agreement([*one, *other])
    apart, rest = str(caught.value).split(": do not agree with the other faces, ")
    fewer, more = sorted(([s.source for s in one], [s.source for s in other]), key=len)
    if first == second:
        assert {tuple(apart.split(", ")), tuple(rest.split(" (mean ")[0].split(", "))} == {
            tuple(fewer), tuple(more)}
    else:
        assert apart.split(", ") == fewer and rest.startswith(more[0])


def test_faces_and_clips_of_two_people_are_both_named(samples_of: SamplesOf) -> None:
    mixed = [*samples_of(1, 4, 4), *samples_of(2, 2, 2)]
    with pytest.raises(GalleryError, match=r"^face0.png, face1.png: .* \(and 1 more like it\)$"):
        check_agreement(mixed)


FITTED = Similarity(LogOdds({"face": 30.0}, -24.0), LogOdds({"voice": 30.0}, -24.0),
                    LogOdds({"face": 20.0, "voice": 20.0}, -32.0))


def alike(samples: list[NewSample], modality: str, cosine: float) -> list[NewSample]:
    """Two samples of a modality with this cosine."""
    one, other = [s for s in samples if s.modality == modality][:2]
    across = other.embedding - (other.embedding @ one.embedding) * one.embedding
    turned = cosine * one.embedding + np.sqrt(1 - cosine**2) * across / np.linalg.norm(across)
    return [one, replace(other, embedding=turned.astype(np.float32))]


@pytest.mark.parametrize(("face", "voice", "files"), [
    (0.9, 0.9, ""), (0.65, 0.9, ""), (0.9, 0.65, ""),  # log-odds -4.5 and 3
    (0.6, 0.9, "face1.png"), (0.9, 0.6, "clip1.wav"),  # -6: nothing outweighs that
    (0.7, 0.7, "face1.png"),  # -3 twice: neither alone would do
])
def test_by_the_log_odds_of_thresholds(
    samples_of: SamplesOf, face: float, voice: float, files: str
) -> None:
    samples = [*alike(samples_of(1), "face", face), *alike(samples_of(1), "voice", voice)]
    check_agreement(samples)  # without, no cosine of two is too small above LEAST_COSINE
    if not files:
        check_agreement(samples, FITTED)
        return
    kept = files.replace("1", "0")
    with pytest.raises(GalleryError, match=rf"^({files}|{kept}): does not agree"):
        check_agreement(samples, FITTED)


def test_a_modality_that_tells_nothing_refuses_nobody(samples_of: SamplesOf) -> None:
    nothing = msgspec.structs.replace(FITTED, voice=LogOdds({"voice": 0.0}, 0.0))
    check_agreement(alike(samples_of(1), "voice", LEAST_COSINE + 0.01), nothing)


def test_the_same_sample_twice(samples_of: SamplesOf) -> None:
    samples = samples_of(1, 4, 0)
    samples.append(replace(samples[1], source="copy.png"))
    with pytest.raises(GalleryError, match=r"^copy.png: the same as face1.png"):
        check_agreement(samples)


def test_the_page_names_the_limits() -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "enrol.md"
    text = " ".join(page.read_text(encoding="utf-8").split())
    assert f"below {LEAST_COSINE}, or below {LEAST_SHARE} times that within" in text
    assert f"log-odds below {TWO_PEOPLE}" in text
    assert f"mean cosine of {SAME_PERSON_COSINE} or more" in text
