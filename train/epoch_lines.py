"""A training as lines, where progress bars cannot be drawn."""

from __future__ import annotations

import keras

from train.models.registry import Part


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
