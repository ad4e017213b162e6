"""A training's progress: how long epochs take, how many examples a second, how long they wait for
the next ones; and the lines that say it where bars cannot be drawn.
"""

from __future__ import annotations

import time

import keras
import numpy as np

from train.models.registry import Part
from train.training.examples import Batches

# In a history; of no two runs the same.
THROUGHPUT_COLUMNS = ("seconds", "examples_per_s", "waiting_share")


class Throughput(keras.callbacks.Callback):
    """Examples per second, and the share of the time that steps wait for their batches.

    Step i could have begun when step i - 1 had ended and did begin when its batch was in hand; what
    lies between is waiting. Both are taken where the backends agree:

    - A step has ended when its loss has arrived. Both backends may go on before that; Keras hands
      an `async_safe` callback the figures in a thread of its own once they are there, so that
      measuring makes no step wait for another.
    - A batch is in hand when a worker has finished it and Keras has begun the step. TensorFlow
      fetches the batch within the step, so that the former is the later one; JAX fetches it before
      (and on an accelerator already the one after it), so that the latter is.

    The first step of an epoch counts for nothing: the first of all is traced and compiled, and
    those of later epochs find the pipeline starting again.
    """

    async_safe = True

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches
        self.begun: dict[int, float] = {}
        self.ended: dict[int, float] = {}
        self.epoch_begun = 0.0
        self.examples, self.seconds, self.waited_seconds = 0, 0.0, 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        for times in (self.begun, self.ended, self.batches.ready_at):
            times.clear()
        self.epoch_begun = time.perf_counter()

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.begun[batch] = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.ended[batch] = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Add THROUGHPUT_COLUMNS to the epoch's figures: its seconds, validation and first step
        included, and the others where it had more than one step."""
        logs = {} if logs is None else logs
        logs["seconds"] = round(time.perf_counter() - self.epoch_begun, 1)
        steps = range(len(self.ended))
        # Keras's threads may tell of two quick steps in the wrong order.
        ends = np.minimum.accumulate([self.ended[step] for step in reversed(steps)])[::-1]
        seconds = float(ends[-1] - ends[0])
        if seconds <= 0:
            return
        in_hand = [max(self.batches.ready_at.get(step, 0.0), self.begun[step]) for step in steps]
        waited = float(np.maximum(0.0, in_hand[1:] - ends[:-1]).sum())
        examples = (len(steps) - 1) * self.batches.batch_size
        self.examples += examples
        self.seconds += seconds
        self.waited_seconds += waited
        logs["examples_per_s"] = round(examples / seconds, 1)
        logs["waiting_share"] = round(waited / seconds, 4)

    def line(self) -> str:
        """All epochs in one line; empty where none was measured."""
        if not self.examples:
            return ""
        return (f"{self.examples / self.seconds:,.0f} examples/s, the device waited "
                f"{100 * self.waited_seconds / self.seconds:.0f} % of the time for the pipeline")


class EpochLines(keras.callbacks.Callback):
    """A line for each epoch, which two processes can write in turn, and a file can hold."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        self.part = part

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        known = logs or {}
        print(f"{self.part:5} {epoch + 1:3}/{self.params['epochs']}: accuracy "
              f"{100 * known['accuracy']:5.1f} %, validation "
              f"{100 * known['val_accuracy']:5.1f} %, {known['seconds']:.0f} s", flush=True)
