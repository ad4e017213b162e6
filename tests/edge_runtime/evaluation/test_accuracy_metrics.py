"""Accuracy, intervals and equal error rate against slow and plain versions of themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.evaluation.accuracy import equal_error_rate, people_interval, top1_accuracy

Array = npt.NDArray[Any]


def test_top1_counts_the_highest_score() -> None:
    scores = np.array([[0.2, 0.8], [0.6, 0.4], [0.5, 0.5], [0.1, 0.9]])
    assert top1_accuracy(scores, np.array([1, 0, 1, 0])) == 0.5  # of equal scores the first counts
    assert top1_accuracy(scores, np.array([1, 0, 0, 1])) == 1.0


def slow_error_rates(genuine: list[float], impostor: list[float]) -> list[tuple[float, float]]:
    """False rejects and false accepts at every score taken for a threshold."""
    return [(sum(g < threshold for g in genuine) / len(genuine),
             sum(i >= threshold for i in impostor) / len(impostor))
            for threshold in sorted({*genuine, *impostor})]


SCORES = st.lists(st.integers(-20, 20).map(lambda n: n / 16), min_size=1, max_size=30)


@given(SCORES, SCORES)
def test_equal_error_rate_against_a_slow_loop(genuine: list[float], impostor: list[float]) -> None:
    rates = slow_error_rates(genuine, impostor)
    nearest = min(abs(reject - accept) for reject, accept in rates)
    allowed = [(reject + accept) / 2 for reject, accept in rates
               if abs(reject - accept) < nearest + 1e-12]
    found = equal_error_rate(np.array(genuine), np.array(impostor))
    assert any(found == pytest.approx(value) for value in allowed)
    # Scores that are stretched and moved order people as before.
    assert found == equal_error_rate(4 * np.array(genuine) + 1, 4 * np.array(impostor) + 1)


def test_equal_error_rate_of_known_cases() -> None:
    assert equal_error_rate(np.array([0.9, 0.8]), np.array([0.1, 0.2, 0.3])) == 0
    assert equal_error_rate(np.array([0.1, 0.2]), np.array([0.8, 0.9])) == 1
    assert equal_error_rate(np.array([0.5]), np.array([0.5])) == 0.5
    assert equal_error_rate(np.array([1, 2, 3, 5]), np.array([0, 1.5, 1.8, 4])) == 0.25
    assert equal_error_rate(np.array([1, 2, 5]), np.array([0, 1.5])) == pytest.approx(5 / 12)


def test_equal_error_rate_of_two_normal_distributions(rng: np.random.Generator) -> None:
    """A distance of 2 between means of deviation 1: the rate is Phi(-1) = 0.1587."""
    found = equal_error_rate(rng.normal(2, 1, 40_000), rng.normal(0, 1, 60_000))
    assert found == pytest.approx(0.1587, abs=0.003)


def trials(rng: np.random.Generator, people: int, each: int) -> tuple[Array, Array]:
    """Right or wrong, people of differing difficulty: outcomes [n] and whose they are [n]."""
    difficulty = rng.beta(4, 2, people)
    correct = (rng.random((people, each)) < difficulty[:, None]).astype(float)
    return correct.ravel(), np.repeat(np.arange(people), each)


def test_the_interval_is_a_bootstrap_over_people(rng: np.random.Generator) -> None:
    people = rng.integers(12, size=60)
    correct = rng.normal(people / 12, 0.3)
    groups = [correct[people == p] for p in range(12)]
    draw = np.random.default_rng(7)
    means = [np.concatenate([groups[i] for i in draw.integers(12, size=12)]).mean()
             for _ in range(4_000)]
    found = people_interval(correct, people, level=0.9, resamples=4_000)
    np.testing.assert_allclose(found, np.percentile(means, [5, 95]), atol=0.015)


def test_the_interval_covers_the_truth(rng: np.random.Generator) -> None:
    """The mean of Beta(4, 2) is 2/3; an interval of 90 % misses it now and then."""
    hits = 0
    for _ in range(200):
        low, high = people_interval(*trials(rng, 40, 4), level=0.9, resamples=300)
        hits += low <= 2 / 3 <= high
    assert 0.83 <= hits / 200 <= 0.97


def test_correlated_trials_add_nothing(rng: np.random.Generator) -> None:
    """Two trials of a person that always agree count as one; of two people they count as two."""
    outcomes = rng.integers(0, 2, 50).astype(float)
    once = people_interval(outcomes, np.arange(50))
    twice = people_interval(np.tile(outcomes, 2), np.tile(np.arange(50), 2))
    strangers = people_interval(np.tile(outcomes, 2), np.arange(100))
    assert twice == once
    assert strangers[1] - strangers[0] < 0.8 * (once[1] - once[0])


def test_people_with_more_trials_weigh_more() -> None:
    low, high = people_interval(np.array([1.0] * 9 + [0.0]), np.array([3] * 9 + [8]))
    assert (low, high) == (0.0, 1.0)
    assert people_interval(np.ones(6), np.array([5, 5, 2, 2, 9, 9])) == (1.0, 1.0)


def test_differences_can_be_negative(rng: np.random.Generator) -> None:
    better = rng.choice([-1.0, 0.0, 0.0, 0.0, 0.0], 400)
    low, high = people_interval(better, np.repeat(np.arange(40), 10))
    assert -1 <= low < better.mean() < high < 0


def test_the_interval_is_the_same_each_time(rng: np.random.Generator) -> None:
    correct, people = rng.random(60), np.repeat(np.arange(20), 3)
    shuffled = rng.permutation(60)
    assert people_interval(correct, people) == people_interval(correct, people)
    assert people_interval(correct, people) == pytest.approx(
        people_interval(correct[shuffled], people[shuffled]))
    assert people_interval(correct, people) != people_interval(correct, people, seed=1)
    narrow = people_interval(correct, people, level=0.5)
    wide = people_interval(correct, people, level=0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
