"""Who is it? From files or arrays, with one modality or both, with thresholds or without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.dataset.collection import Collection, read_collection
from edge_runtime.dataset.people import index_people, test_pairs
from edge_runtime.decision.decide import Decision
from edge_runtime.decision.identify import Identifier
from edge_runtime.decision.scoring import fuse, product
from edge_runtime.errors import InputError, UsageError
from edge_runtime.modalities import MODALITIES
from edge_runtime.signals.detection import HaarDetector, face_crop
from edge_runtime.signals.face import read_picture
from edge_runtime.signals.voice import read_clip
from train.synthetic import room_picture
from train.synthetic.faces import Identity

Change = Callable[[dict[str, Any]], Path]


@pytest.fixture(scope="module")
def identifier(small_bundles: dict[str, Path]) -> Identifier:
    return Identifier.load(small_bundles["float32"], allow_uncertified=True)


@pytest.fixture(scope="module")
def collection(small_people: Path) -> Collection:
    return read_collection(index_people(small_people), 64)


@pytest.fixture(scope="module")
def face(collection: Collection) -> Path:
    return collection.people.root / test_pairs(collection.people)[0][0].path


@pytest.fixture(scope="module")
def clip(collection: Collection) -> Path:
    return collection.people.root / test_pairs(collection.people)[0][1].path


def check(decision: Decision, identifier: Identifier, num_top: int = 4) -> None:
    """What holds for every decision of a bundle without thresholds."""
    names = identifier.manifest.people
    assert decision.person is None and decision.reason == "no_thresholds"
    for scores in decision.scores.values():
        assert scores.shape == (len(names),) and scores.dtype == np.float32
        assert (scores >= 0).all() and scores.sum() == pytest.approx(1, abs=1e-5)
    ranked = [r.score for r in decision.top]
    assert ranked == sorted(ranked, reverse=True) and len(ranked) == num_top
    fused = decision.scores["fused"]
    for r in decision.top:
        assert r.score == pytest.approx(fused[names.index(r.person)])
    assert decision.top[0].person == names[int(fused.argmax())]
    assert all(ms >= 0 for ms in decision.ms.values())
    assert decision.interpreter.startswith("ai-edge-litert ")


def test_both(identifier: Identifier, face: Path, clip: Path) -> None:
    decision = identifier.identify(face, clip)
    check(decision, identifier)
    assert list(decision.scores) == ["face", "voice", "fused"]
    expected = fuse(decision.scores["face"], decision.scores["voice"],
                    identifier.manifest.score_scaling)
    np.testing.assert_allclose(decision.scores["fused"], expected)
    assert list(decision.ms) == ["read_face", "quality", "read_voice", "face_network",
                                 "voice_network", "decision"]


@pytest.mark.parametrize("modality", ["face", "voice"])
def test_one_alone(
    identifier: Identifier, modality: str, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue("face" if modality == "face" else "clip")
    decision = identifier.identify(**{modality: path})
    check(decision, identifier)
    assert list(decision.scores) == [modality, "fused"]
    expected = fuse(decision.scores.get("face"), decision.scores.get("voice"),
                    identifier.manifest.score_scaling)
    np.testing.assert_array_equal(decision.scores["fused"], expected)
    assert list(decision.ms) == [f"read_{modality}", "quality", f"{modality}_network",
                                 "decision"]


def test_a_whole_picture_is_cropped_first(identifier: Identifier) -> None:
    who, rng = Identity.draw(np.random.default_rng(1)), np.random.default_rng([1, 0])
    picture, _ = room_picture(who, rng)
    decision = identifier.identify(picture=picture)
    crop = face_crop(picture, HaarDetector().detect(picture)[0])
    assert decision.quality == {"face": ()} and decision.used == ("face",)
    np.testing.assert_array_equal(decision.scores["face"],
                                  identifier.identify(face=crop).scores["face"])
    again = identifier.identify(picture=picture, detector=HaarDetector())
    assert again.top == decision.top


def test_a_picture_whose_face_is_no_good(identifier: Identifier, clip: Path) -> None:
    who, rng = Identity.draw(np.random.default_rng(1)), np.random.default_rng([1, 0])
    dark = (room_picture(who, rng)[0] * 0.25).astype(np.uint8)
    with pytest.raises(InputError, match="the picture: the face is too dark"):
        identifier.identify(picture=dark)
    decision = identifier.identify(voice=clip, picture=dark)
    assert decision.used == ("voice",) and list(decision.scores) == ["voice", "fused"]
    assert [flaw.reason for flaw in decision.quality["face"] or ()] == ["face_too_dark"]


def test_of_two_only_what_is_good_enough_is_used(
    identifier: Identifier, face: Path, clip: Path
) -> None:
    dark = (read_picture(face) * 0.2).astype(np.uint8)
    decision = identifier.identify(dark, clip)
    assert decision.used == ("voice",)
    np.testing.assert_array_equal(decision.scores["fused"],
                                  identifier.identify(voice=clip).scores["fused"])
    assert identifier.identify(dark).used == ("face",)  # there is nothing better
    hum = 0.01 * np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    assert identifier.identify(face, hum).used == ("face",)
    assert identifier.identify(dark, hum).used == ("face", "voice")


def test_a_face_and_a_picture(identifier: Identifier, face: Path) -> None:
    with pytest.raises(UsageError, match="expected a face or a picture, found both"):
        identifier.identify(face, picture=face)


def test_arrays_are_as_good_as_files(identifier: Identifier, face: Path, clip: Path) -> None:
    by_file = identifier.identify(face, clip)
    by_array = identifier.identify(read_picture(face), read_clip(clip))
    assert by_array.top == by_file.top
    for part, scores in by_file.scores.items():
        np.testing.assert_array_equal(by_array.scores[part], scores)


@pytest.mark.parametrize("shape", [(1, 1, 3), (63, 200, 3), (300, 64, 3), (480, 640, 3)])
def test_faces_of_any_size(
    identifier: Identifier, rng: np.random.Generator, shape: tuple[int, ...]
) -> None:
    check(identifier.identify(rng.integers(0, 256, shape, np.uint8)), identifier)


@pytest.mark.parametrize("samples", [1, 160, 41_311, 41_312, 41_313, 160_000])
def test_clips_of_any_length(
    identifier: Identifier, rng: np.random.Generator, samples: int
) -> None:
    clip = rng.uniform(-1, 1, samples).astype(np.float32)
    check(identifier.identify(voice=clip), identifier)


def test_runs_do_not_touch_each_other(identifier: Identifier, face: Path, clip: Path) -> None:
    first = identifier.identify(face, clip)
    identifier.identify(face=np.zeros((64, 64, 3), np.uint8))
    identifier.identify(voice=np.ones(41_312, np.float32))
    again = identifier.identify(face, clip)
    for part, scores in first.scores.items():
        np.testing.assert_array_equal(again.scores[part], scores)


@pytest.mark.parametrize(("wanted", "found"), [(1, 1), (3, 3), (99, 4)])
def test_as_many_people_as_wanted(
    identifier: Identifier, face: Path, wanted: int, found: int
) -> None:
    check(identifier.identify(face, num_top=wanted), identifier, found)


def test_neither(identifier: Identifier) -> None:
    with pytest.raises(UsageError, match="found neither"):
        identifier.identify()


def test_unusable_files(identifier: Identifier, face: Path, clip: Path, tmp_path: Path) -> None:
    for bad in (tmp_path / "nowhere.png", clip):
        with pytest.raises(InputError):
            identifier.identify(bad, clip)
    for bad in (tmp_path / "nowhere.wav", face):
        with pytest.raises(InputError):
            identifier.identify(face, bad)


def test_as_keras_says(
    small_run: Any, collection: Collection, identifier: Identifier
) -> None:
    """Every test pair through files and the interpreter, and through the trained networks."""
    from train.scoring.evaluate import evaluate

    expected = evaluate(small_run, collection).columns
    expected["fused"] = fuse(expected["face"], expected["voice"],
                             identifier.manifest.score_scaling)
    root = collection.people.root
    found = [identifier.identify(root / face.path, root / clip.path)
             for face, clip in test_pairs(collection.people)]
    assert len(found) == 8
    for part in (*MODALITIES, "fused"):
        scores = np.stack([decision.scores[part] for decision in found])
        np.testing.assert_allclose(scores, expected[part], atol=1e-4)
        np.testing.assert_array_equal(scores.argmax(axis=1), expected[part].argmax(axis=1))


def with_thresholds(face: float, voice: float, ensemble: float) -> dict[str, Any]:
    return {"thresholds": {"face": face, "voice": voice, "ensemble": ensemble,
                           "false_accept_rate": 0.01, "false_accept_bound": 0.02}}


@pytest.mark.parametrize("low", ["face", "voice", "ensemble"])
def test_thresholds_are_those_of_what_there_was(
    changed_bundle: Change, face: Path, clip: Path, low: str
) -> None:
    least = {"face": 1.0, "voice": 1.0, "ensemble": 1.0} | {low: 0.0}
    identifier = Identifier.load(changed_bundle(with_thresholds(**least)))
    found = {"face": identifier.identify(face=face), "voice": identifier.identify(voice=clip),
             "ensemble": identifier.identify(face, clip)}
    for part, decision in found.items():
        if part == low:
            assert decision.reason == "accepted"
            assert decision.person == decision.top[0].person
        else:
            assert decision.reason == "below_threshold" and decision.person is None
            assert len(decision.top) == 4


def test_a_score_at_the_threshold_is_accepted(
    changed_bundle: Change, identifier: Identifier, face: Path
) -> None:
    best = identifier.identify(face=face).top[0].score
    exact = Identifier.load(changed_bundle(with_thresholds(best, 1, 1)))
    assert exact.identify(face=face).reason == "accepted"


SCALING_BY_ONE = {"temperature": 1, "weight": 1}


def test_scaling_by_one_is_the_product(
    changed_bundle: Change, identifier: Identifier, face: Path, clip: Path
) -> None:
    scaled = Identifier.load(changed_bundle(
        {"score_scaling": {"face": SCALING_BY_ONE, "voice": SCALING_BY_ONE}}))
    alone = list(identifier.identify(face, clip).scores.values())[:2]
    for inputs, expected in (((face, clip), product(*alone)), ((face, None), alone[0]),
                             ((None, clip), alone[1])):
        np.testing.assert_allclose(scaled.identify(*inputs).scores["fused"], expected, atol=2e-6)


def test_scaling_is_used(
    changed_bundle: Change, identifier: Identifier, face: Path, clip: Path
) -> None:
    scaled = Identifier.load(changed_bundle(
        {"score_scaling": {"face": {"temperature": 1, "weight": 0}, "voice": SCALING_BY_ONE}}))
    np.testing.assert_allclose(scaled.identify(face, clip).scores["fused"],
                               identifier.identify(voice=clip).scores["voice"], atol=2e-6)


def test_a_threshold_is_held_against_scaled_scores(changed_bundle: Change, face: Path) -> None:
    """A hot temperature brings every score near a quarter: below a threshold of 0.26."""
    hot = {"temperature": 1e6, "weight": 1}
    identifier = Identifier.load(changed_bundle(
        with_thresholds(0.26, 0.26, 0.26) | {"score_scaling": {"face": hot, "voice": hot}}))
    decision = identifier.identify(face=face)
    assert decision.reason == "below_threshold"
    assert decision.top[0].score == pytest.approx(0.25, abs=1e-3)
