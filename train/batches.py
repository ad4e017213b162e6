"""Batches of augmented examples, the same for the same seed however many threads make them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import keras
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Inputs = Array | dict[str, Array]
"""What a network takes: one array, or one for each of its inputs by name."""
Augment = Callable[[Any, np.random.Generator], Inputs]
MIN_EXAMPLES = 512  # an epoch of fewer would be over before batch norm has seen anything
WORKERS = 2


class Batches(keras.utils.PyDataset):
    """One epoch's batches (inputs, one-hot labels), drawn anew each epoch.

    examples: decoded files. labels: indices of people. augment: (example, rng) -> network input.
    Each example has a random generator of its own, seeded by (seed, epoch, place). workers:
    threads that make batches ahead of the training.
    """

    def __init__(
        self, examples: Sequence[Any], labels: Sequence[int], num_people: int, augment: Augment,
        *, batch_size: int, seed: int, workers: int = WORKERS,
    ) -> None:
        super().__init__(workers=workers, max_queue_size=max(8, 2 * workers))
        self.examples, self.augment, self.seed = examples, augment, seed
        self.targets = np.eye(num_people, dtype=np.float32)[np.asarray(labels)]
        self.batch_size = min(batch_size, len(examples))
        self.epoch = 0
        self.ready_at: dict[int, float] = {}  # when each batch was finished, in seconds

    def __len__(self) -> int:
        return max(len(self.examples), MIN_EXAMPLES) // self.batch_size

    def __getitem__(self, index: int) -> tuple[Inputs, Array]:
        places = range(index * self.batch_size, (index + 1) * self.batch_size)
        chosen = self._examples_at(places)
        views = [
            self.augment(self.examples[i], np.random.default_rng([self.seed, self.epoch, place]))
            for i, place in zip(chosen, places, strict=True)]
        batch = stacked(views), self.targets[chosen]
        self.ready_at[index] = time.perf_counter()
        return batch

    def _examples_at(self, places: range) -> list[int]:
        """Every example once in random order, then again in another order."""
        count = len(self.examples)
        orders = {turn: np.random.default_rng([self.seed, self.epoch, turn, 1]).permutation(count)
                  for turn in range(places[0] // count, places[-1] // count + 1)}
        return [int(orders[place // count][place % count]) for place in places]


def stacked(rows: Sequence[Inputs]) -> Inputs:
    """Single examples -> a batch of them."""
    first = rows[0]
    if isinstance(first, dict):
        by_name = cast(Sequence[dict[str, Array]], rows)
        return {name: np.stack([row[name] for row in by_name]) for name in first}
    return np.stack(cast(Sequence[Array], rows))


class EpochCounter(keras.callbacks.Callback):
    """Tells the batches which epoch it is, before their threads start."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.batches.epoch = epoch
