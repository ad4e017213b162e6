"""Samples of one person have to agree; which one does not is said, with its cosine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from edge_runtime.errors import GalleryError
from edge_runtime.gallery.agreement import LEAST_COSINE, LEAST_SHARE, TWO_PEOPLE
from edge_runtime.gallery.duplicates import SAME_PERSON_COSINE
from edge_runtime.gallery.samples import (
    MAX_SAMPLES,
    NewSample,
    check_agreement,
    check_counts,
    check_embeddings,
    read_samples,
)
from edge_runtime.identify import Identifier
from edge_runtime.manifest import Manifest
from edge_runtime.similarity import LogOdds, Similarity

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


def test_too_few_and_too_many() -> None:
    check_counts(["face"] * MAX_SAMPLES + ["voice"] * MAX_SAMPLES)
    for modalities, reason in (([], "at least one face or one clip, found none"),
                               (["face"] * 21, "at most 20 samples of a face, found 21"),
                               (["face", *["voice"] * 30], "samples of a voice, found 30")):
        with pytest.raises(GalleryError, match=reason):
            check_counts(modalities)


@pytest.mark.parametrize(("embedding", "found"), [
    (np.zeros(320), "320 of length 0.00"), (np.ones(320), "320 of length 17.89"),
    (np.eye(320)[0][:319], "319 of length 1.00"), (np.full(320, np.nan), "length nan"),
    (np.eye(320), "102400"),
])
def test_what_is_no_embedding(manifest: Manifest, embedding: Any, found: str) -> None:
    sample = NewSample("camera", "face", embedding.astype(np.float32))
    with pytest.raises(GalleryError, match=f"^camera: expected 320 numbers .* found {found}"
                       if found != "length nan" else found):
        check_embeddings([sample], manifest.files)


def test_the_page_names_the_limits() -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "enrol.md"
    text = " ".join(page.read_text(encoding="utf-8").split())
    assert f"below {LEAST_COSINE}, or below {LEAST_SHARE} times that within" in text
    assert f"log-odds below {TWO_PEOPLE}" in text
    assert f"mean cosine of {SAME_PERSON_COSINE} or more" in text


def test_files_become_embeddings(small_bundles: dict[str, Path], small_people: Path) -> None:
    identifier = Identifier.load(small_bundles["float32"], allow_uncertified=True)
    face = small_people / "synthetic_001" / "face" / "000.png"
    clip = small_people / "synthetic_001" / "voice" / "000.flac"
    samples = read_samples(identifier, [face], [clip])
    assert [(s.source, s.modality) for s in samples] == [(str(face), "face"), (str(clip), "voice")]
    check_embeddings(samples, identifier.manifest.files)
    both = identifier.embed(face, clip)
    for sample in samples:
        np.testing.assert_array_equal(sample.embedding, both[sample.modality])
    with pytest.raises(GalleryError, match=r"no such picture file \(and 1 more like it\)$"):
        read_samples(identifier, [face, face / "nowhere", clip])
    with pytest.raises(GalleryError, match="found none"):
        read_samples(identifier)
