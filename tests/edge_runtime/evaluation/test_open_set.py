"""Strangers and enrolled people: every rate against a plain count."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.evaluation.open_set import NOBODY, OpenSet, open_set


def drawn(seed: int, enrolled: int = 6, strangers: int = 8, each: int = 12) -> OpenSet:
    """Unit noise, and 3 more for the own column."""
    rng = np.random.default_rng(seed)
    people = np.repeat(np.arange(enrolled + strangers), each)
    owners = np.where(people < enrolled, people, NOBODY)
    scores = rng.standard_normal((len(people), enrolled))
    own = owners != NOBODY
    scores[own, owners[own]] += 3
    return open_set(scores, owners, people)


def test_outcomes_by_hand() -> None:
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.6], [0.3, 0.4]])
    owners, people = np.array([0, 0, 1, NOBODY]), np.array([5, 5, 6, 7])
    found = open_set(scores, owners, people)
    # The first is named rightly, the second and third are named as the other.
    np.testing.assert_array_equal(found.genuine, [0.9, -np.inf, -np.inf])
    np.testing.assert_array_equal(found.genuine_people, [5, 5, 6])
    np.testing.assert_array_equal((found.impostor, found.impostor_people), ([0.4], [7]))
    assert (found.fpir(0.4), found.fpir(0.41), found.fnir(0.9)) == (1, 0, pytest.approx(2 / 3))

    both = open_set(scores, owners, people, leave_one_out=True)
    np.testing.assert_array_equal(both.impostor, [0.1, 0.8, 0.7, 0.4])
    np.testing.assert_array_equal(both.genuine, found.genuine)


@given(seed=st.integers(0, 100), rate=st.sampled_from([0.0, 0.01, 0.05, 0.1, 0.5, 1.0]))
def test_a_threshold_keeps_its_rate_and_no_lower_one_does(seed: int, rate: float) -> None:
    found = drawn(seed)
    threshold = found.threshold_at(rate)
    assert found.fpir(threshold) <= rate + 1e-12
    lower = np.nextafter(threshold, -np.inf)
    if np.isfinite(threshold):
        assert found.fpir(float(lower)) > rate


@given(seed=st.integers(0, 20))
def test_a_bound_is_above_the_rate(seed: int) -> None:
    found = drawn(seed)
    for threshold in (-1.0, 0.0, 1.0, 2.0, 9.0):
        assert found.fpir(threshold) <= found.fpir_bound(threshold)
    assert found.fpir_bound(9.0) == 3 / found.impostor.size


def test_a_rate_is_only_promised_where_there_are_enough_strangers() -> None:
    found = drawn(0)
    assert found.threshold_within(3 / found.impostor.size - 1e-9) is None
    threshold = found.threshold_within(0.2)
    assert threshold is not None and found.fpir_bound(threshold) <= 0.2
    assert found.fpir(threshold) < 0.2 and threshold > found.threshold_at(0.2)


def test_the_equal_error_rate_is_where_the_rates_cross() -> None:
    found = drawn(3, enrolled=20, strangers=40, each=50)
    rate = found.equal_error_rate()
    low, high = found.threshold_at(rate - 0.01), found.threshold_at(rate + 0.01)
    assert found.fnir(high) - 0.01 <= rate <= found.fnir(low) + 0.01
    assert 0 < rate < 0.5
    curve = found.curve()
    assert curve[0][0] == 1 and curve[-1][0] <= 0.01
    assert all(a[0] >= b[0] and a[1] <= b[1] for a, b in itertools.pairwise(curve))


def test_who_is_never_named_rightly_has_no_low_rate() -> None:
    people = np.arange(20)
    scores = np.zeros((20, 2))
    scores[:, 1] = 1
    found = open_set(scores, np.where(people < 10, 0, NOBODY), people)
    assert found.fnir(-np.inf) == 0 and found.fnir(0.0) == 1
    assert found.equal_error_rate() >= 0.5
