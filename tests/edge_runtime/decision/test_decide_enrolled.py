"""Decisions among enrolled people, by embeddings that are drawn and thresholds that are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from edge_runtime.bundle.manifest import Manifest
from edge_runtime.decision.decide import COLUMNS, Decision, EnrolledThresholds, among_enrolled
from edge_runtime.decision.similarity import LogOdds, Similarity
from edge_runtime.errors import GalleryError
from edge_runtime.evaluation.thresholds import lookalikes
from edge_runtime.gallery.samples import NewSample
from edge_runtime.gallery.store import Gallery
from edge_runtime.modalities import Modality

Embeddings = npt.NDArray[np.float32]
EmbeddingsOf = Callable[..., Embeddings]
SamplesOf = Callable[..., list[NewSample]]

# Zero at a cosine of a half; drawn samples of one person have about 0.9, of two about 0.
THRESHOLDS = EnrolledThresholds(
    similarity=Similarity(LogOdds({"face": 10.0}, -5.0), LogOdds({"voice": 10.0}, -5.0),
                          LogOdds({"face": 10.0, "voice": 10.0}, -10.0)),
    least={"face": 1.0, "voice": 1.0, "both": 1.0}, false_accept_rate=0.05,
    false_accept_bound=dict.fromkeys(COLUMNS, 0.05), miss_rate=dict.fromkeys(COLUMNS, 0.0),
    people=3)


@pytest.fixture
def enrolled(gallery: Gallery, samples_of: SamplesOf) -> Gallery:
    """Anna, Ben by his face alone, and Cleo; with thresholds."""
    gallery.enroll("Anna", samples_of(1))
    gallery.enroll("Ben", samples_of(2, clips=0))
    gallery.enroll("Cleo", samples_of(3))
    gallery.set_thresholds(THRESHOLDS)
    return gallery


@pytest.fixture
def decide(enrolled: Gallery, embeddings_of: EmbeddingsOf) -> Callable[..., Decision]:
    """decide(face=1, voice=3): of another face of the first person with a voice of the third."""
    def judge(doubtful: tuple[Modality, ...] = (), **seeds: int) -> Decision:
        embeddings: dict[Modality, Embeddings] = {}
        if "face" in seeds:
            embeddings["face"] = embeddings_of(seeds["face"], 9)[8]
        if "voice" in seeds:
            embeddings["voice"] = embeddings_of(10_000 + seeds["voice"], 9)[8]
        return among_enrolled(enrolled.candidates(embeddings), doubtful)
    return judge


def test_who_is_enrolled_is_named(decide: Callable[..., Decision]) -> None:
    for seeds in ({"face": 1}, {"voice": 1}, {"face": 1, "voice": 1}):
        found = decide(**seeds)
        assert (found.person, found.reason) == ("Anna", "accepted")
        assert list(found.people) == ["Anna", "Ben", "Cleo"]
        assert list(found.scores) == [*seeds, "fused"]
        assert found.scores["fused"].argmax() == 0 and 0.9 < found.scores["fused"][0] <= 1
    assert decide(face=2).person == "Ben"


def test_a_stranger_is_nobody(decide: Callable[..., Decision]) -> None:
    for seeds in ({"face": 7}, {"voice": 7}, {"face": 7, "voice": 7}):
        found = decide(**seeds)
        assert (found.person, found.reason) == (None, "below_threshold")
        assert found.scores["fused"].max() < 0.1


def test_who_is_enrolled_by_one_modality_is_judged_by_it(decide: Callable[..., Decision]) -> None:
    found = decide(face=2, voice=7)
    assert (found.person, found.reason) == ("Ben", "accepted")
    assert np.isnan(found.scores["voice"][1])
    assert found.scores["fused"][1] == pytest.approx(
        1 / (1 + np.exp(5 - 10 * found.scores["face"][1])), rel=1e-5)


def test_a_face_of_one_and_a_voice_of_another(decide: Callable[..., Decision]) -> None:
    assert decide(face=1, voice=3).reason == "disagreement"
    assert decide(face=1, voice=3).person is None
    assert decide(face=1, voice=7).reason == "disagreement"  # nobody's


def test_a_doubtful_voice_contradicts_nobody(decide: Callable[..., Decision]) -> None:
    found = decide(face=1, voice=7, doubtful=("voice",))
    assert (found.person, found.reason) == (None, "below_threshold")
    assert 0 < found.scores["fused"][0] < 0.5


def test_without_thresholds_people_are_ranked(
    gallery: Gallery, samples_of: SamplesOf, embeddings_of: EmbeddingsOf
) -> None:
    face = embeddings_of(1, 9)[8]
    empty = among_enrolled(gallery.candidates({"face": face}))
    assert (empty.person, empty.reason, list(empty.people)) == (None, "nobody_enrolled", [])
    gallery.enroll("Anna", samples_of(1))
    gallery.enroll("Ben", samples_of(2))
    found = among_enrolled(gallery.candidates({"face": face}))
    assert (found.person, found.reason) == (None, "no_thresholds")
    np.testing.assert_array_equal(found.scores["fused"], found.scores["face"])
    assert found.scores["fused"][0] > 0.8 > 0.3 > found.scores["fused"][1]
    gallery.enroll("Cleo", samples_of(3, faces=0))  # nothing to compare a face with
    assert among_enrolled(gallery.candidates({"face": face})).scores["fused"][2] == -1


def test_not_this_person(
    enrolled: Gallery, decide: Callable[..., Decision], embeddings_of: EmbeddingsOf
) -> None:
    """What looks more like a rejected sample than like the person is somebody else."""
    near = embeddings_of(1, 9)[8]
    enrolled.reject("Anna", [NewSample("other.png", "face", near)])
    found = decide(face=1)
    assert found.left_out == ("Anna",) and found.person is None
    assert found.scores["fused"][0] == 0
    assert decide(voice=1).person == "Anna"
    other = among_enrolled(enrolled.candidates({"face": embeddings_of(1, 3)[0]}))
    assert (other.person, other.left_out) == ("Anna", ())


def test_what_another_program_rejects_and_forgets_counts(
    enrolled: Gallery, path: Path, manifest: Manifest, key_file: Path, embeddings_of: EmbeddingsOf
) -> None:
    near, far = embeddings_of(1, 9)[8], embeddings_of(7, 1)[0]
    with Gallery.open(path, manifest, key_file) as reader:
        assert among_enrolled(reader.candidates({"face": near})).person == "Anna"
        enrolled.reject("Anna", [NewSample("near.png", "face", near),
                                 NewSample("far.png", "face", far)])
        enrolled.reject("Cleo", [NewSample("near.png", "face", near)])
        found = reader.candidates({"face": near})
        np.testing.assert_allclose(found.rejected["face"], [1, np.nan, 1], atol=1e-6)
        assert among_enrolled(found).left_out == ("Anna", "Cleo")
        enrolled.forget("Anna")
        found = reader.candidates({"face": near})
        np.testing.assert_allclose(found.rejected["face"], [np.nan, 1], atol=1e-6)
        enrolled.forget("Cleo")
        assert reader.candidates({"face": near}).rejected == {}


def test_thresholds_outlive_the_process_and_stand_in_the_log(
    enrolled: Gallery, path: Path, manifest: Manifest, key_file: Path
) -> None:
    with Gallery.open(path, manifest, key_file) as again:
        assert again.thresholds() == THRESHOLDS
        assert [line.event for line in again.audit()][-1] == "thresholds"
        with pytest.raises(GalleryError, match="may only be read"):
            again.set_thresholds(THRESHOLDS)
    enrolled.set_thresholds(msgspec.structs.replace(THRESHOLDS, people=9))
    found = enrolled.thresholds()
    assert found is not None and found.people == 9


def test_templates_and_candidates_agree(enrolled: Gallery, embeddings_of: EmbeddingsOf) -> None:
    face, voice = embeddings_of(5, 1)[0], embeddings_of(6, 1)[0]
    names, templates = enrolled.templates()
    found = enrolled.candidates({"face": face, "voice": voice})
    assert names == list(found.names) == ["Anna", "Ben", "Cleo"]
    np.testing.assert_allclose(found.cosines["face"], templates["face"] @ face, atol=1e-6)
    np.testing.assert_allclose(found.cosines["voice"], templates["voice"] @ voice, atol=1e-6)
    assert np.isnan(templates["voice"][1]).all() and np.isnan(found.cosines["voice"][1])


def test_lookalikes_are_named(enrolled: Gallery, samples_of: SamplesOf) -> None:
    assert lookalikes(*enrolled.templates(), THRESHOLDS) == []
    twin = [replace(sample, embedding=np.asarray(
        sample.embedding * [*[1] * 319, -1], np.float32)) for sample in samples_of(1)]
    enrolled.enroll("Anna's twin", twin, allow_duplicate=True)
    ((one, other, odds),) = lookalikes(*enrolled.templates(), THRESHOLDS)
    assert (one, other) == ("Anna", "Anna's twin") and odds > 5
