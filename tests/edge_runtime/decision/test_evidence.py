"""Seconds add up, old ones fade, and names do not flicker."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.decision.evidence import (
    FORGET_AFTER_S,
    FRESH_S,
    HALF_LIFE_S,
    NAME_AFTER_S,
    Evidence,
    SteadyName,
)


def test_a_mean_of_what_was_seen() -> None:
    evidence = Evidence()
    assert evidence.means(0.0) == {}
    evidence.add("face", np.array([1.0, 0.0]), 10.0)
    np.testing.assert_array_equal(evidence.means(10.0)["face"], [1, 0])
    evidence.add("face", np.array([0.0, 1.0]), 10.0)
    np.testing.assert_allclose(evidence.means(11.0)["face"], [0.5, 0.5])
    evidence.add("voice", np.array([2.0, 2.0]), 11.0)
    assert set(evidence.means(11.0)) == {"face", "voice"}


def test_what_is_a_half_life_old_counts_half() -> None:
    evidence = Evidence()
    evidence.add("face", np.array([1.0, 0.0]), 0.0)
    evidence.add("face", np.array([0.0, 1.0]), HALF_LIFE_S)
    np.testing.assert_allclose(evidence.means(HALF_LIFE_S)["face"], [1 / 3, 2 / 3])


def test_what_weighs_less_says_less() -> None:
    evidence = Evidence()
    evidence.add("voice", np.array([1.0, 0.0]), 0.0, weight=0.25)
    np.testing.assert_allclose(evidence.means(0.0)["voice"], [1, 0])
    evidence.add("voice", np.array([0.0, 1.0]), 0.0, weight=0.75)
    np.testing.assert_allclose(evidence.means(0.0)["voice"], [0.25, 0.75])


def test_what_is_old_says_nothing() -> None:
    evidence = Evidence()
    evidence.add("face", np.array([1.0, 0.0]), 0.0)
    evidence.add("voice", np.array([1.0, 0.0]), FRESH_S)
    assert set(evidence.means(FRESH_S)) == {"face", "voice"}
    assert set(evidence.means(FRESH_S + 0.1)) == {"voice"}
    evidence.add("face", np.array([0.0, 1.0]), FRESH_S + 1)
    np.testing.assert_array_equal(evidence.means(FRESH_S + 1)["face"], [0, 1])
    evidence.clear()
    assert evidence.means(FRESH_S + 1) == {}


@given(rows=st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 1)), min_size=1, max_size=30))
def test_a_mean_lies_between_what_it_is_of(rows: list[tuple[float, float]]) -> None:
    evidence, time_s = Evidence(), 0.0
    for value, pause_s in rows:
        time_s += pause_s
        evidence.add("face", np.array([value]), time_s)
    (mean,) = evidence.means(time_s)["face"]
    values = [value for value, _ in rows]
    assert min(values) - 1e-9 <= mean <= max(values) + 1e-9


def test_one_odd_decision_changes_no_name() -> None:
    steady = SteadyName()
    assert steady.update("anna", 0.0) is None  # not yet
    assert steady.update("anna", NAME_AFTER_S) == "anna" and steady.since_s == NAME_AFTER_S
    assert steady.update("ben", 1.0) == "anna"
    assert steady.update("anna", 1.1) == "anna"
    assert steady.update(None, 1.2) == "anna"
    assert steady.update("anna", 1.3) == "anna" and steady.since_s == NAME_AFTER_S


def test_another_takes_over_and_nobody_comes_last() -> None:
    steady = SteadyName()
    for time_s in np.arange(0, 2, 0.1):
        steady.update("anna", float(time_s))
    last = 1.9
    assert steady.update("ben", 2.0) == "anna"
    assert steady.update("ben", 2.01 + NAME_AFTER_S) == "ben"
    assert steady.update(None, last + FORGET_AFTER_S) == "ben"
    assert steady.update(None, 2.02 + NAME_AFTER_S + FORGET_AFTER_S) is None
    assert steady.update(None, 99.0) is None


@pytest.mark.parametrize("decisions", [["anna", "ben"] * 20, [None, "anna"] * 20])
def test_who_changes_all_the_time_is_never_named(decisions: list[str | None]) -> None:
    steady = SteadyName()
    for i, person in enumerate(decisions):
        assert steady.update(person, 0.1 * i) is None


@pytest.mark.parametrize(("next_one", "named"), [("anna", "anna"), ("ben", None), (None, None)])
def test_who_may_be_another_keeps_no_name(next_one: str | None, named: str | None) -> None:
    """Hysteresis is for one person: who comes next does not inherit the name."""
    steady = SteadyName()
    steady.update("anna", 0.0)
    assert steady.update("anna", NAME_AFTER_S) == "anna"
    steady.doubt()
    assert steady.update(next_one, 1.0) == named


def test_who_was_about_to_be_named_begins_anew() -> None:
    steady = SteadyName()
    steady.update("anna", 0.0)
    steady.doubt()
    assert steady.update("anna", 5.0) is None
    assert steady.update("anna", 5.0 + NAME_AFTER_S) == "anna"


def test_waiting_confirms_nobody() -> None:
    steady = SteadyName()
    steady.update("anna", 0.0)
    assert steady.wait(1.0) is None
    assert steady.update("anna", 2.0) == "anna"  # a slow camera's second picture
    assert steady.wait(2.0 + 0.9 * FORGET_AFTER_S) == "anna"
    assert steady.wait(2.0 + FORGET_AFTER_S) is None
