"""Score scaling finds what is wrong with scores that were spoilt on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.decision.scoring import fuse, product
from train.scoring.scaling import fit_scaling


def scores_of(rng: np.random.Generator, labels: np.ndarray, margin: float,
              temperature: float) -> np.ndarray:
    """Scores [n, 8] of a calibrated softmax, then at another temperature."""
    logits = rng.standard_normal((len(labels), 8))
    logits[np.arange(len(labels)), labels] += margin
    logits = logits * margin / temperature
    powered = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powered / powered.sum(axis=1, keepdims=True), np.float32)


@pytest.fixture
def labels(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 8, 600)


def accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean(scores.argmax(axis=1) == labels))


def test_a_modality_that_is_too_sure_is_calmed(
    rng: np.random.Generator, labels: np.ndarray
) -> None:
    """Voices that are often wrong and always sure: sum and product follow them, the scaled does
    not."""
    face, voice = scores_of(rng, labels, 2.0, 1.0), scores_of(rng, labels, 0.8, 0.1)
    fitted, rest = slice(0, 300), slice(300, 600)
    scaling = fit_scaling(face[fitted], voice[fitted], labels[fitted])
    assert scaling.voice.temperature > 5 and 0.5 < scaling.face.temperature < 2
    scaled = fuse(face[rest], voice[rest], scaling)
    for other in (fuse(face[rest], voice[rest]), product(face[rest], voice[rest])):
        assert accuracy(scaled, labels[rest]) > accuracy(other, labels[rest]) + 0.05


def test_one_modality_alone_is_calibrated(rng: np.random.Generator, labels: np.ndarray) -> None:
    """What it calls 90 % sure is right in about 90 %."""
    face = scores_of(rng, labels, 1.5, 0.3)
    scaling = fit_scaling(face, face, labels)

    def gap(scores: np.ndarray) -> float:
        return abs(float(scores.max(axis=1).mean()) - accuracy(scores, labels))

    assert gap(face) > 0.1 > 0.04 > gap(fuse(face, None, scaling))


def test_a_modality_that_says_nothing_is_not_heard(
    rng: np.random.Generator, labels: np.ndarray
) -> None:
    face = scores_of(rng, labels, 2.0, 1.0)
    noise = scores_of(rng, rng.integers(0, 8, 600), 2.0, 1.0)
    scaling = fit_scaling(face, noise, labels)
    heard = scaling.voice.weight / scaling.voice.temperature
    assert heard < 0.1 * scaling.face.weight / scaling.face.temperature
    assert accuracy(fuse(face, noise, scaling), labels) > accuracy(face, labels) - 0.01


def test_the_same_evidence_twice_counts_half(
    rng: np.random.Generator, labels: np.ndarray
) -> None:
    face = scores_of(rng, labels, 1.5, 1.0)
    scaling = fit_scaling(face, face, labels)
    assert scaling.face.weight + scaling.voice.weight == pytest.approx(1, abs=0.25)


def test_scores_of_zero_do_no_harm() -> None:
    face = np.array([[1, 0], [0, 1]], np.float32)
    scaling = fit_scaling(face, face, np.array([1, 0]))
    assert np.isfinite(fuse(face, face, scaling)).all()


def test_the_product_is_sure_where_both_agree(
    rng: np.random.Generator, labels: np.ndarray
) -> None:
    face, voice = scores_of(rng, labels, 1.5, 1.0), scores_of(rng, labels, 1.5, 1.0)
    both = product(face, voice)
    np.testing.assert_allclose(both.sum(axis=1), 1, atol=1e-5)
    assert accuracy(both, labels) > max(accuracy(face, labels), accuracy(voice, labels))
    np.testing.assert_allclose(product(face, np.full_like(face, 1 / 8)), face, atol=1e-5)
