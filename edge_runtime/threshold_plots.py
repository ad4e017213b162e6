"""What thresholds come from, as pictures: the trade-off of both errors, and the scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.candidates import BOTH
from edge_runtime.errors import UsageError
from edge_runtime.thresholds import Outcomes

LEAST = 1e-3  # of the axes, which are logarithmic


def draw(folder: Path, outcomes: Outcomes, thresholds: Mapping[str, float]) -> None:
    """trade_off.png (Martin et al., The DET curve in assessment of detection task performance,
    1997) and scores.png."""
    pyplot = _pyplot()
    folder.mkdir(parents=True, exist_ok=True)
    figure, axis = pyplot.subplots(figsize=(6, 6), layout="constrained")
    for column, outcome in outcomes.items():
        curve = np.maximum(np.array(outcome.curve()), LEAST)
        axis.plot(100 * curve[:, 0], 100 * curve[:, 1],
                  label=f"{column}, EER {100 * outcome.equal_error_rate():.1f} %")
        threshold = thresholds[column]
        axis.plot(100 * max(outcome.fpir(threshold), LEAST),
                  100 * max(outcome.fnir(threshold), LEAST), "o", color=axis.lines[-1].get_color())
    axis.set(xscale="log", yscale="log", xlabel="strangers who get a name (%)",
             ylabel="enrolled people who are not named (%)",
             title="Dots: the thresholds that were chosen")
    axis.legend()
    axis.grid(alpha=0.3, which="both")
    figure.savefig(folder / "trade_off.png", dpi=120)
    pyplot.close(figure)

    figure, axis = pyplot.subplots(figsize=(8, 4), layout="constrained")
    outcome = outcomes[BOTH]
    strangers, known = (found[np.isfinite(found)] for found in (outcome.impostor, outcome.genuine))
    bins = np.histogram_bin_edges(np.concatenate([strangers, known]), 60)
    for scores, label in ((strangers, "strangers, the most alike"),
                          (known, "enrolled people, themselves")):
        axis.hist(scores, bins, alpha=0.6, density=True, label=label)
    axis.axvline(thresholds[BOTH], color="black", linestyle="--", label="threshold")
    axis.set(xlabel="score by face and voice", ylabel="density")
    axis.legend()
    figure.savefig(folder / "scores.png", dpi=120)
    pyplot.close(figure)


def _pyplot() -> Any:
    try:
        import matplotlib
    except ModuleNotFoundError:
        raise UsageError("--plots needs matplotlib, found none; pip install matplotlib") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
