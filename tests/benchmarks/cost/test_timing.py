"""The clock: quantiles as NumPy's, tasks in turn, and what a time hangs on."""

from __future__ import annotations

import itertools
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cost.timing import (
    WARM_UP_ROUNDS,
    Distribution,
    Repeats,
    conditions,
    interleaved_ms,
    peak_memory_mib,
    run_child,
)

QUANTILES = {"median_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99, "min_ms": 0.0}


@pytest.mark.parametrize("times", [[1.0], [2.0, 1.0], [3.0, 1.0, 2.0], [5.0] * 7,
                                   [float(i) for i in range(1, 11)],
                                   [float(i) for i in range(100, 0, -1)],
                                   [float(i) for i in range(1, 201)]])
def test_quantiles_are_numpys(times: list[float]) -> None:
    found = Distribution.of(times)
    for name, share in QUANTILES.items():
        assert getattr(found, name) == np.quantile(times, share, method="inverted_cdf")


def test_nine_in_ten_took_at_most_p90() -> None:
    found = Distribution.of([float(i) for i in range(1, 11)])
    assert (found.median_ms, found.p90_ms, found.p99_ms, found.min_ms) == (5, 9, 10, 1)


@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=300))
def test_every_figure_was_measured(times: list[float]) -> None:
    found = Distribution.of(times)
    assert found.min_ms <= found.median_ms <= found.p90_ms <= found.p99_ms
    rounded = [round(t, 4) for t in times]
    for name, share in QUANTILES.items():
        value = getattr(found, name)
        assert value in rounded
        assert sum(t <= value for t in rounded) >= share * len(times) - 1e-9


def test_the_order_of_times_does_not_matter(rng: np.random.Generator) -> None:
    times = rng.exponential(size=101)
    assert Distribution.of(list(times)) == Distribution.of(sorted(times))


def test_tasks_run_in_turn() -> None:
    calls: list[str] = []
    tasks = {name: (lambda name=name: calls.append(name)) for name in ("a", "b", "c")}
    times = interleaved_ms(tasks, rounds=4)
    assert len(calls) >= 3 * (2 * WARM_UP_ROUNDS + 4)
    assert calls == ["a", "b", "c"] * (len(calls) // 3)
    assert list(times) == ["a", "b", "c"]
    assert all(len(row) == 4 and min(row) >= 0 for row in times.values())


def test_warm_up_lasts_until_it_is_warm() -> None:
    """Every block takes half of the one before, down to a floor."""
    runs = itertools.count()
    times = interleaved_ms({"a": "task"}, 3,
                           lambda _: max(1.0, 64 / 2 ** (next(runs) // WARM_UP_ROUNDS)))
    assert times == {"a": [1.0] * 3}
    assert next(runs) == 8 * WARM_UP_ROUNDS + 3  # 64, 32, ... 1, and 1 again


def test_a_repeat_that_differs_is_unstable() -> None:
    assert Repeats.of([1.0, 1.04] * 20) == Repeats((1.0,) * 5, False)
    drifting = Repeats.of([1.0] * 32 + [1.06] * 8)
    assert drifting == Repeats((1.0, 1.0, 1.0, 1.0, 1.06), True)
    assert Repeats.of([2.0]) == Repeats((2.0,), False)


def test_the_spread_is_from_the_first_quarter_to_the_third() -> None:
    assert Distribution.of([float(i) for i in range(1, 101)]).iqr_ms == 50


def test_times_are_milliseconds() -> None:
    import time

    times = interleaved_ms({"nap": lambda: time.sleep(0.005)}, rounds=2)
    assert min(times["nap"]) >= 5


def test_conditions() -> None:
    found = conditions(threads=3)
    assert set(found) == {"cpu", "cores", "governor", "clock_mhz", "celsius", "throttled", "load",
                          "memory_mib", "system", "python", "interpreter", "threads"}
    assert found["threads"] == 3 and found["cores"] >= 1 and found["cpu"]
    assert found["interpreter"].startswith("ai-edge-litert ")


def test_memory_grows_with_what_is_held() -> None:
    before = peak_memory_mib()
    held = np.ones(300 * 2**17)  # 300 MiB
    assert peak_memory_mib() >= max(before, held.nbytes / 2**20)


def test_a_child_that_fails_is_noticed() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run_child("benchmarks.cost.cold", "nowhere", "1")
