"""Log-odds from cosines: what logistic regression has to find is known for bell curves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.decision.similarity import PLAIN, Array, LogOdds, Similarity, fit_similarity
from edge_runtime.modalities import MODALITIES, Modality


def pairs(
    rng: np.random.Generator, count: int, mean: float, other: float, spread: float = 0.2
) -> dict[Modality, Array]:
    return {"face": rng.normal(mean, spread, count), "voice": rng.normal(other, spread, count)}


@pytest.fixture
def fitted(rng: np.random.Generator) -> Similarity:
    return fit_similarity(pairs(rng, 30_000, 0.7, 0.5), pairs(rng, 90_000, 0.1, 0.1))


def test_bell_curves_of_equal_width(fitted: Similarity) -> None:
    """The log-odds of two normal densities: slope (mean - mean) / variance, zero half-way."""
    for part in (fitted.face, fitted.both):
        assert part.scale["face"] == pytest.approx(0.6 / 0.04, rel=0.05)
    for part in (fitted.voice, fitted.both):
        assert part.scale["voice"] == pytest.approx(0.4 / 0.04, rel=0.05)
    assert fitted.face.offset == pytest.approx(-15 * 0.4, rel=0.05)
    assert fitted.both.of({"face": np.array(0.4), "voice": np.array(0.3)}) == pytest.approx(
        0, abs=0.2)


def test_both_tell_more_than_one(fitted: Similarity, rng: np.random.Generator) -> None:
    """As thresholds are measured; that one may contradict the other costs names."""
    same, different = pairs(rng, 4000, 0.7, 0.5), pairs(rng, 4000, 0.1, 0.1)

    def errors(names: list[Modality]) -> float:
        right, wrong = (fitted.log_odds({m: rows[m][:, np.newaxis] for m in names}, contradict=())
                        for rows in (same, different))
        return float(np.mean(right < 0) + np.mean(wrong >= 0))

    assert errors(["face", "voice"]) < 0.8 * errors(["face"]) < errors(["voice"])


def test_noise_has_no_say(rng: np.random.Generator) -> None:
    similarity = fit_similarity(pairs(rng, 2000, 0.7, 0.1), pairs(rng, 2000, 0.1, 0.1))
    assert similarity.both.scale["voice"] < 0.05 * similarity.both.scale["face"]
    against = fit_similarity(pairs(rng, 2000, 0.7, 0.0), pairs(rng, 2000, 0.1, 0.4))
    assert against.voice.scale["voice"] == against.both.scale["voice"] == 0


def test_pairs_without_a_fault_leave_odds_finite() -> None:
    same: dict[Modality, Array] = {m: np.full(5, 0.9) for m in MODALITIES}
    different: dict[Modality, Array] = {m: np.full(5, 0.1) for m in MODALITIES}
    similarity = fit_similarity(same, different)
    best = similarity.log_odds({m: np.ones(1) for m in MODALITIES})
    assert np.isfinite(best).all() and 2 < best[0] < 100


@given(face=st.floats(-1, 1), voice=st.floats(-1, 1), missing=st.sampled_from([*MODALITIES, None]))
def test_what_was_not_enrolled_leaves_the_other_to_decide(
    face: float, voice: float, missing: Modality | None
) -> None:
    cosines: dict[Modality, Array] = {"face": np.array([face, np.nan]),
                                      "voice": np.array([voice, np.nan])}
    if missing:
        cosines[missing] = np.array([np.nan, np.nan])
    first, second = PLAIN.log_odds(cosines, contradict=())
    assert second == -np.inf
    assert first == pytest.approx({"face": voice, "voice": face, None: (face + voice) / 2}[missing])


@pytest.fixture
def known() -> Similarity:
    """Zero at a cosine of a half, five for a whole one."""
    part = {m: LogOdds({m: 10.0}, -5.0) for m in MODALITIES}
    return Similarity(part["face"], part["voice"], LogOdds({"face": 10.0, "voice": 10.0}, -10.0))


@pytest.mark.parametrize(("face", "voice", "odds", "disagree"), [
    ((0.9, 0.1), (0.1, 0.9), (-np.inf, -np.inf), True),  # of two people
    ((0.9, 0.1), (0.9, 0.1), (8, -np.inf), False),  # of one
    ((0.9, 0.1), (0.4, 0.3), (-np.inf, -np.inf), True),  # a voice that is nobody's
    ((0.9, 0.1), (0.46, 0.3), (3.6, -np.inf), False),  # one that may be anybody's
    ((0.6, 0.7), (0.9, 0.1), (-np.inf, -np.inf), True),  # a face that is more like another's
    ((0.9, np.nan), (0.55, 0.57), (4.5, 0.7), False),  # hardly more like another's
    ((0.9, np.nan), (0.55, 0.7), (-np.inf, 2), True),
    ((0.1, 0.2), (0.2, 0.1), (-np.inf, -np.inf), False)])  # a stranger's
def test_whom_one_modality_contradicts_is_out(
    known: Similarity, face: tuple[float, ...], voice: tuple[float, ...],
    odds: tuple[float, ...], disagree: bool,
) -> None:
    cosines: dict[Modality, Array] = {"face": np.array(face), "voice": np.array(voice)}
    np.testing.assert_allclose(known.log_odds(cosines), odds, atol=1e-9)
    assert known.disagreement(cosines) is disagree
    assert not known.disagreement({"face": cosines["face"]})
    rows = {m: np.stack([row, row]) for m, row in cosines.items()}
    np.testing.assert_array_equal(known.log_odds(rows)[1], known.log_odds(cosines))


def test_what_is_doubtful_contradicts_nobody(known: Similarity) -> None:
    cosines: dict[Modality, Array] = {"face": np.array([0.9, 0.1]), "voice": np.array([0.1, 0.9])}
    for sure, odds in ((("face",), (0, -np.inf)), (("voice",), (-np.inf, 0)), ((), (0, 0))):
        np.testing.assert_allclose(known.log_odds(cosines, contradict=sure), odds, atol=1e-9)
