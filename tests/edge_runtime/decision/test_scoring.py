"""Scores of two networks become one row: plainly added, or scaled and multiplied."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_runtime.bundle.manifest import Scaling, ScoreScaling
from edge_runtime.decision.scoring import fuse, product

Row = npt.NDArray[np.float32]


def scaling(
    face: tuple[float, float] = (1, 1), voice: tuple[float, float] = (1, 1)
) -> ScoreScaling:
    """(temperature, weight) of each."""
    return ScoreScaling(face=Scaling(temperature=face[0], weight=face[1]),
                        voice=Scaling(temperature=voice[0], weight=voice[1]))


def softmax(logits: npt.NDArray[np.float64]) -> Row:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


rows = arrays(np.float64, st.just((3, 5)), elements=st.floats(-30, 30)).map(softmax)
temperatures = st.floats(0.01, 100)
weights = st.floats(0.01, 100)
parts = st.tuples(temperatures, weights)


@given(face=rows, voice=rows)
def test_the_plain_sum(face: Row, voice: Row) -> None:
    fused = fuse(face, voice)
    assert fused.dtype == np.float32
    np.testing.assert_allclose(fused, (face + voice) / 2, rtol=1e-6)
    np.testing.assert_array_equal(fuse(voice, face), fused)


@given(row=rows)
def test_one_alone_is_left_as_it_is(row: Row) -> None:
    np.testing.assert_array_equal(fuse(row, None), row)
    np.testing.assert_array_equal(fuse(None, row), row)


@given(face=rows, voice=rows)
def test_scaling_by_one_is_the_product(face: Row, voice: Row) -> None:
    powers = np.maximum(face, 1e-12, dtype=np.float64) * np.maximum(voice, 1e-12, dtype=np.float64)
    expected = powers / powers.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(fuse(face, voice, scaling()), expected, atol=2e-6)
    np.testing.assert_allclose(product(face, voice), expected, atol=2e-6)
    np.testing.assert_allclose(fuse(face, None, scaling()), face, atol=2e-6)


@given(face=rows, voice=rows, face_part=parts, voice_part=parts)
def test_fused_scores_are_shares(
    face: Row, voice: Row, face_part: tuple[float, float], voice_part: tuple[float, float]
) -> None:
    scaled = scaling(face_part, voice_part)
    for fused in (fuse(face, voice, scaled), fuse(face, None, scaled), fuse(None, voice, scaled)):
        assert fused.dtype == np.float32 and fused.shape == face.shape
        assert np.isfinite(fused).all() and (fused >= 0).all()
        np.testing.assert_allclose(fused.sum(axis=-1), 1, atol=1e-5)


@given(face=rows, voice=rows, face_part=parts, voice_part=parts)
def test_rows_do_not_touch_each_other(
    face: Row, voice: Row, face_part: tuple[float, float], voice_part: tuple[float, float]
) -> None:
    scaled = scaling(face_part, voice_part)
    one_by_one = [fuse(f, v, scaled) for f, v in zip(face, voice, strict=True)]
    np.testing.assert_allclose(fuse(face, voice, scaled), one_by_one, atol=1e-6)


@given(row=rows, temperature=temperatures)
def test_a_temperature_keeps_the_order(row: Row, temperature: float) -> None:
    fused = fuse(row, None, scaling((temperature, 1)))
    best = np.take_along_axis(fused, row.argmax(axis=-1)[:, np.newaxis], axis=-1)[:, 0]
    np.testing.assert_array_equal(best, fused.max(axis=-1))


def test_temperature_is_that_of_the_softmax() -> None:
    logits = np.array([[2.0, 1.0, -1.0], [0.5, 0.0, 3.0]])
    for temperature in (0.25, 2.0, 8.0):
        found = fuse(softmax(logits), None, scaling((temperature, 1)))
        np.testing.assert_allclose(found, softmax(logits / temperature), atol=1e-6)


def test_weights_count_evidence() -> None:
    """A weight of 2 is that of the same evidence twice; one of 0 is none; alone there is none."""
    face, voice = softmax(np.array([3.0, 0.0])), softmax(np.array([0.0, 1.0]))
    found = fuse(face, voice, scaling((1, 2), (1, 1)))
    np.testing.assert_allclose(found, product(product(face, face), voice), atol=1e-6)
    np.testing.assert_allclose(fuse(face, voice, scaling((1, 1), (1, 0))), face, atol=1e-6)
    np.testing.assert_allclose(fuse(face, None, scaling((1, 5), (1, 1))), face, atol=1e-6)
    np.testing.assert_allclose(fuse(face, voice, scaling((4, 2), (1, 1))),
                               fuse(face, voice, scaling((2, 1), (1, 1))), atol=1e-6)


def test_a_cold_softmax_names_the_best_alone() -> None:
    face = np.array([0.4, 0.3, 0.3], np.float32)
    np.testing.assert_allclose(fuse(face, None, scaling((0.001, 1))), [1, 0, 0], atol=1e-6)


def test_certain_scores_stay_finite() -> None:
    certain = np.array([1, 0, 0], np.float32)
    for temperature in (0.01, 1.0, 100.0):
        assert np.isfinite(fuse(certain, None, scaling((temperature, 1)))).all()


def test_nothing_to_fuse() -> None:
    with pytest.raises(ValueError, match="neither face nor voice"):
        fuse(None, None)
