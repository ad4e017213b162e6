"""A training's history as CSV and as a picture."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

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
