"""What a training remembers from epoch to epoch: its history, as CSV and as a picture, the best
weights, and a checkpoint to resume from.
"""

from __future__ import annotations

import csv
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from edge_runtime.errors import RunError
from train.models.registry import Part

Rows = list[dict[str, float]]


def save_history(path: Path, rows: Rows) -> None:
    """One line per epoch; a column that an epoch lacks stays empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def draw_curves(path: Path, histories: Mapping[Part, Rows]) -> None:
    """Loss and accuracy against epochs, a column for each network; nothing without matplotlib."""
    try:
        import matplotlib
    except ImportError:
        print(f"{path.name} is not drawn: there is no matplotlib here; the histories hold the same")
        return

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, len(histories), figsize=(5 * len(histories), 6),
                                   squeeze=False, sharex="col", layout="constrained")
    for column, (name, rows) in enumerate(histories.items()):
        epochs = [row["epoch"] for row in rows]
        for axis, key, label in ((axes[0, column], "loss", "loss"),
                                 (axes[1, column], "accuracy", "accuracy (%)")):
            factor = 100 if key == "accuracy" else 1
            for prefix, style in (("", "training"), ("val_", "validation")):
                axis.plot(epochs, [factor * row[prefix + key] for row in rows],
                          label=style)
            axis.set_ylabel(label)
            axis.grid(alpha=0.3)
        axes[0, column].set_title(name)
        axes[0, column].legend()
        axes[1, column].set_xlabel("epoch")
        axes[1, column].set_ylim(0, 101)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


MONITOR = "val_loss"


class Recorder(keras.callbacks.Callback):
    """Early stopping on the validation loss, best weights, and a checkpoint after each epoch.

    The checkpoint is one file, replaced in one step, so that a kill or a full disk leaves the one
    before it whole. At the end of training the network holds its best weights.
    """

    def __init__(self, checkpoint: Path, patience: int) -> None:
        super().__init__()
        self.checkpoint, self.patience = checkpoint, patience
        self.rows: list[dict[str, float]] = []
        self.best_loss, self.best_epoch = float("inf"), -1
        self.best_weights: list[np.ndarray] = []

    @property
    def epochs_done(self) -> int:
        return len(self.rows)

    @property
    def finished_early(self) -> bool:
        return self.epochs_done - 1 - self.best_epoch >= self.patience

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        row = {name: float(value) for name, value in (logs or {}).items()}
        if not np.isfinite([row["loss"], row[MONITOR]]).all():
            raise RunError(f"{self.model.name}, epoch {epoch + 1}: the loss is {row['loss']} and "
                           f"{row[MONITOR]} in validation; train with a lower --learning-rate")
        self.rows.append({"epoch": epoch + 1, **row})
        if row[MONITOR] < self.best_loss:
            self.best_loss, self.best_epoch = row[MONITOR], epoch
            self.best_weights = self.model.get_weights()
        self.model.stop_training = self.finished_early
        self._save()

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self.model.set_weights(self.best_weights)

    def _save(self) -> None:
        arrays = {f"weight{i}": w for i, w in enumerate(self.model.get_weights())}
        arrays |= {f"best{i}": w for i, w in enumerate(self.best_weights)}
        arrays |= {f"optimizer{i}": np.asarray(v)
                   for i, v in enumerate(self.model.optimizer.variables)}
        arrays |= {f"seed{i}": np.asarray(v) for i, v in enumerate(_seeds(self.model))}
        state = {"rows": self.rows, "best_loss": self.best_loss, "best_epoch": self.best_epoch}
        arrays["state"] = np.array(json.dumps(state))
        partial = self.checkpoint.with_suffix(".partial")
        try:
            self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                np.savez(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.checkpoint)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise RunError(f"{self.checkpoint}: cannot write the checkpoint ({error.strerror}); "
                           "make room and go on with --resume") from None

    def restore(self, model: keras.Model) -> None:
        """Take up the checkpoint, where there is one: weights, optimizer, history."""
        if not self.checkpoint.is_file():
            return
        try:
            with np.load(self.checkpoint) as file:
                arrays = {name: file[name] for name in file.files}
            state = json.loads(str(arrays["state"]))
            model.set_weights(_numbered(arrays, "weight"))
            if not model.optimizer.built:  # built twice, that of float16 has too many variables
                model.optimizer.build(model.trainable_variables)
            variables = [*model.optimizer.variables, *_seeds(model)]
            values = [*_numbered(arrays, "optimizer"), *_numbered(arrays, "seed")]
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            reason = " ".join(str(error).split())
            raise RunError(f"{self.checkpoint}: the checkpoint is damaged or of another model "
                           f"({reason}); delete it to start this network again") from None
        self.rows = state["rows"]
        self.best_loss, self.best_epoch = state["best_loss"], state["best_epoch"]
        self.best_weights = _numbered(arrays, "best")


def _seeds(model: keras.Model) -> list[keras.Variable]:
    """The states of dropout and masks, which are no weights: they too go on where they were."""
    return [v for v in model.non_trainable_variables if v.path.endswith("seed_generator_state")]


def _numbered(arrays: dict[str, np.ndarray], prefix: str) -> list[np.ndarray]:
    count = sum(name.startswith(prefix) for name in arrays)
    return [arrays[f"{prefix}{i}"] for i in range(count)]
