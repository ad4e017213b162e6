"""Examples per second and the share of waiting, where both are known beforehand."""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest

from train.runs.history import save_history
from train.training.examples import Batches, EpochCounter
from train.training.progress import THROUGHPUT_COLUMNS, Throughput

Array = npt.NDArray[Any]


def batches_of(pause_s: float) -> Batches:
    """Batches of 4, each of which takes one of two workers so long."""
    def augment(example: Array, rng: np.random.Generator) -> Array:
        time.sleep(pause_s / 4)
        return example

    inputs = np.zeros((48, 8), np.float32)
    return Batches(list(inputs), [i % 2 for i in range(48)], 2, augment, batch_size=4, seed=0)


def noted(ready: list[float], begun: list[float], ended: list[float]) -> Throughput:
    throughput = Throughput(batches_of(0))
    throughput.on_epoch_begin(0)
    throughput.batches.ready_at = dict(enumerate(ready))
    throughput.begun, throughput.ended = dict(enumerate(begun)), dict(enumerate(ended))
    return throughput


def figures(throughput: Throughput) -> dict[str, float]:
    logs: dict[str, float] = {}
    throughput.on_epoch_end(0, logs)
    assert logs.pop("seconds") >= 0
    return logs


def test_a_step_that_fetches_its_batch() -> None:
    """As on TensorFlow: steps begin at once and wait within. Steps of 1 s, batches every 3 s."""
    throughput = noted([0, 3, 6, 9], [0, 1, 4, 7], [1, 4, 7, 10])
    assert figures(throughput) == {"examples_per_s": round(12 / 9, 1),
                                   "waiting_share": round(6 / 9, 4)}
    assert throughput.line() == ("1 examples/s, the device waited 67 % of the time for the "
                                 "pipeline")


def test_a_step_that_begins_with_the_next_batch_in_hand() -> None:
    """As on JAX with an accelerator, which asks for one batch more before it begins a step."""
    assert figures(noted([0, 3, 6, 9], [3, 6, 9, 9], [4, 7, 10, 11]))["waiting_share"] == round(
        4 / 7, 4)


def test_steps_that_are_begun_ahead_do_not_wait() -> None:
    assert figures(noted([0, 0, 0, 0], [0, 0.1, 0.2, 0.3], [1, 2, 3, 4])) == {
        "examples_per_s": 4.0, "waiting_share": 0.0}


def test_the_first_step_does_not_count() -> None:
    long_compiled = noted([90, 0, 0], [0, 100, 101], [100, 101, 102])
    assert figures(long_compiled) == {"examples_per_s": 4.0, "waiting_share": 0.0}


def test_ends_that_are_told_in_the_wrong_order() -> None:
    assert figures(noted([0, 0, 0], [0, 1, 2], [1, 3.5, 3])) == {
        "examples_per_s": 4.0, "waiting_share": 0.0}


def test_one_step_measures_nothing() -> None:
    throughput = noted([0], [0], [1])
    assert figures(throughput) == {} and throughput.line() == ""


def test_epochs_without_figures_stay_empty(tmp_path: Any) -> None:
    save_history(tmp_path / "history.csv", [{"epoch": 1, "loss": 0.5},
                                            {"epoch": 2, "loss": 0.25, "examples_per_s": 7.0}])
    assert (tmp_path / "history.csv").read_text() == (
        "epoch,loss,examples_per_s\n1,0.5,\n2,0.25,7.0\n")


@pytest.mark.parametrize(("pause_s", "least", "most"), [(0.0, 0.0, 0.4), (0.4, 0.6, 1.0)])
def test_while_training(pause_s: float, least: float, most: float) -> None:
    """Two workers at 0.4 s a batch make 20 examples in a second, and the network is small."""
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2, "softmax")])
    network.compile("sgd", "categorical_crossentropy", jit_compile=False)
    batches = batches_of(pause_s)
    batches.__class__ = type("Few", (Batches,), {"__len__": lambda self: 12})
    throughput = Throughput(batches)
    rows = network.fit(batches, epochs=2, shuffle=False, verbose=0,
                       callbacks=[EpochCounter(batches), throughput]).history
    assert all(len(rows[name]) == 2 for name in THROUGHPUT_COLUMNS)
    assert all(least <= share <= most for share in rows["waiting_share"]), rows
    assert all(seconds > 4 * pause_s for seconds in rows["seconds"]), rows
    if pause_s:
        assert all(10 < rate < 26 for rate in rows["examples_per_s"]), rows
