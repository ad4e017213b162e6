"""Score scaling finds what is wrong with scores that were spoilt on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.scoring import fuse, product
from train.scaling import fit_scaling


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


def test_a_modality_that_is_too_sure_counts_for_less(
    rng: np.random.Generator, labels: np.ndarray
) -> None:
    """Voices that are often wrong and always sure: the plain sum follows them, the scaled does
    not."""
    face, voice = scores_of(rng, labels, 2.0, 1.0), scores_of(rng, labels, 0.8, 0.1)
    half = slice(0, 300), slice(300, 600)
    scaling = fit_scaling(face[half[0]], voice[half[0]], labels[half[0]])
    assert scaling.voice.weight < scaling.face.weight / 2
    rest = labels[half[1]]
    plain = fuse(face[half[1]], voice[half[1]])
    scaled = fuse(face[half[1]], voice[half[1]], scaling)
    assert accuracy(scaled, rest) > accuracy(plain, rest) + 0.05


def test_a_modality_that_says_nothing_gets_little_weight(
    rng: np.random.Generator, labels: np.ndarray
) -> None:
    face = scores_of(rng, labels, 2.0, 1.0)
    scaling = fit_scaling(face, scores_of(rng, rng.integers(0, 8, 600), 2.0, 1.0), labels)
    assert scaling.face.weight > 0.8
    assert scaling.face.weight + scaling.voice.weight == pytest.approx(1)


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
