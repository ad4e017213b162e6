"""Batches: the same for the same seed whoever asks first, every example in its turn."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from train.training.examples import MIN_EXAMPLES, Batches, EpochCounter

Array = npt.NDArray[Any]


def noisy_number(example: int, rng: np.random.Generator) -> Array:
    """The example itself and what its generator draws: float32 [2]."""
    return np.array([example, rng.random()], np.float32)


def batches_of(count: int, *, batch_size: int = 32, seed: int = 0) -> Batches:
    labels = [i % 5 for i in range(count)]
    return Batches(list(range(count)), labels, 5, noisy_number, batch_size=batch_size, seed=seed)


def epoch_of(batches: Batches, order: list[int] | None = None) -> Array:
    """All inputs of one epoch in the order of the batches: [batches, batch, 2]."""
    found = {i: batches[i][0] for i in order or range(len(batches))}
    return np.stack([found[i] for i in range(len(batches))])


def test_shapes_and_labels() -> None:
    inputs, targets = batches_of(100)[0]
    assert inputs.shape == (32, 2) and inputs.dtype == np.float32
    assert targets.shape == (32, 5) and targets.dtype == np.float32
    np.testing.assert_array_equal(targets.argmax(axis=1), inputs[:, 0].astype(int) % 5)
    np.testing.assert_array_equal(targets.sum(axis=1), 1)


def test_the_order_of_asking_does_not_matter() -> None:
    count = len(batches_of(100))
    orders = [list(range(count)), list(reversed(range(count))),
              np.random.default_rng(0).permutation(count).tolist()]
    first, *others = (epoch_of(batches_of(100), order) for order in orders)
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_seeds_and_epochs_differ() -> None:
    batches = batches_of(100)
    first = epoch_of(batches)
    assert not np.array_equal(first, epoch_of(batches_of(100, seed=1)))
    batches.epoch = 1
    second = epoch_of(batches)
    assert not np.array_equal(first[..., 0], second[..., 0])  # another order
    assert not set(first[..., 1].ravel()) & set(second[..., 1].ravel())  # other draws
    batches.epoch = 0
    np.testing.assert_array_equal(epoch_of(batches), first)


@pytest.mark.parametrize(("count", "batch_size"), [(100, 32), (7, 32), (512, 32), (700, 50)])
def test_every_example_once_per_turn(count: int, batch_size: int) -> None:
    batches = batches_of(count, batch_size=batch_size)
    assert len(batches) == max(count, MIN_EXAMPLES) // min(batch_size, count)
    examples = epoch_of(batches)[..., 0].ravel().astype(int).tolist()
    turns = [examples[i : i + count] for i in range(0, len(examples), count)]
    for turn in turns[:-1]:
        assert sorted(turn) == list(range(count))
    assert max(Counter(turns[-1]).values()) == 1
    assert all(one != next_one for one, next_one in itertools.pairwise(turns))


def test_every_place_has_its_own_draws() -> None:
    draws = epoch_of(batches_of(7))[..., 1].ravel()
    assert len(set(draws)) == draws.size


def test_the_counter_tells_the_epoch() -> None:
    batches = batches_of(7)
    EpochCounter(batches).on_epoch_begin(3)
    assert batches.epoch == 3
