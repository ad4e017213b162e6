"""The sweep's table in the source experiment's shape, as JSON, Markdown and a picture."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.console.output import percent, table
from train.scoring.evaluate import ACCURACY_COLUMNS
from train.sweep.plan import Row, Settings, read_result

POINTS_PER_DECADE = 5.0
SCORE = (f"score = test accuracy in % of the sum (of the fused network where there is one) - "
         f"{POINTS_PER_DECADE:g} * log10(millions of parameters): ten times the parameters have to "
         f"bring {POINTS_PER_DECADE:g} points")
_LABELS = {"voice": "voice", "face": "face", "ensemble": "sum", "product": "product",
           "scaled": "scaled", "fused": "fused"}
_CONDITIONS = ("train", "test", "noisy")


def content_of(
    settings: Settings, rows: Sequence[Row], seeds: int, reasons: Mapping[str, str]
) -> dict[str, Any]:
    """What `sweep --json` prints: rows of means over the seeds, or the reason why there is none."""
    entries = []
    for row in rows:
        found = [result for seed in range(seeds)
                 if (result := read_result(settings, row.name, seed))]
        entries.append(_entry(row, found, reasons.get(row.name)))
    done = [entry for entry in entries if entry["test"]]
    known = {name: done[0][name] if done else None for name in ("data", "data_digest", "synthetic")}
    return {**known, "snr_db": settings.snr_db, "score": SCORE, "rows": entries}


def _entry(row: Row, found: list[dict[str, Any]], reason: str | None) -> dict[str, Any]:
    first = found[0] if found else {}
    entry = {"row": row.name, "model": row.family, "fusion": row.fusion, "weights": row.weights,
             "time_shift": row.time_shift, "seeds": [result["seed"] for result in found],
             "reason": reason or (None if found else "not run yet"),
             **{name: first.get(name) for name in ("parameters", "epochs", "voice_epochs",
                                                   "commit", "data",
                                                   "data_digest", "synthetic")},
             "wall_s": sum(result["wall_s"] for result in found) or None}
    for condition in _CONDITIONS:
        kept = [result[condition] for result in found if result[condition]]
        entry[condition] = _over_seeds(kept, np.mean)
        entry[f"{condition}_spread"] = _over_seeds(kept, np.std) if len(kept) > 1 else None
        entry[f"{condition}_interval"] = kept[0]["interval"] if kept else None
    return entry | {"score": score(entry)}


def _over_seeds(kept: list[dict[str, Any]], statistic: Any) -> dict[str, float | None] | None:
    if not kept:
        return None
    shares = {column: [k["accuracy"][column] for k in kept] for column in ACCURACY_COLUMNS}
    return {column: None if None in values else float(statistic(values))
            for column, values in shares.items()}


def main_accuracy(entry: Mapping[str, Any]) -> float | None:
    """Test accuracy of the fused network, or of the plain sum of a pair."""
    test = entry["test"]
    if not test:
        return None
    found: float = test["ensemble"] if test["fused"] is None else test["fused"]
    return found


def score(entry: Mapping[str, Any]) -> float | None:
    """Accuracy weighed against parameters: see SCORE."""
    accuracy = main_accuracy(entry)
    if accuracy is None:
        return None
    return 100 * accuracy - POINTS_PER_DECADE * math.log10(entry["parameters"] / 1e6)


def write_tables(out: Path, content: Mapping[str, Any]) -> None:
    """sweep.json, sweep.md and pareto.png."""
    (out / "sweep.json").write_text(json.dumps(content, indent=2) + "\n")
    (out / "sweep.md").write_text(markdown(content))
    done = [entry for entry in content["rows"] if entry["test"]]
    if done:
        _draw_pareto(out / "pareto.png", done, content["data"])


def markdown(content: Mapping[str, Any]) -> str:
    """The table: accuracies in %, train / test, means over the seeds with their spread."""
    mark = ", synthetic people" if content["synthetic"] else ""
    header = ["row", "fusion", "parameters", "seeds", "epochs", *_LABELS.values(), "score"]
    parts = [f"Accuracy in % (train / test) on {content['data']}{mark}.", "",
             table(header, [_cells(entry, ("train", "test")) for entry in content["rows"]]), "",
             content["score"].capitalize() + "."]
    if any(entry["noisy"] for entry in content["rows"]):
        parts += ["", f"Test accuracy in % with noise at {content['snr_db']:g} dB SNR:", "",
                  table(header, [_cells(entry, ("noisy",)) for entry in content["rows"]])]
    if reasons := [f"- {e['row']}: {e['reason']}" for e in content["rows"] if e["reason"]]:
        parts += ["", *reasons]
    return "\n".join(parts) + "\n"


def _cells(entry: Mapping[str, Any], conditions: Sequence[str]) -> list[str]:
    if not entry["test"]:
        return [entry["row"], entry["fusion"], *["-"] * 3, *["not run"] * len(_LABELS), "-"]
    shares = [" / ".join(_share(entry, condition, column) for condition in conditions)
              if entry[conditions[0]] and entry[conditions[0]][column] is not None else "-"
              for column in _LABELS]
    return [entry["row"], entry["fusion"], f"{entry['parameters'] / 1e6:.2f}M",
            str(len(entry["seeds"])), _epochs(entry), *shares,
            "-" if "noisy" in conditions else f"{entry['score']:.1f}"]


def _epochs(entry: Mapping[str, Any]) -> str:
    voice = entry["voice_epochs"]
    return f"{entry['epochs']} + {voice}" if voice else str(entry["epochs"])


def _share(entry: Mapping[str, Any], condition: str, column: str) -> str:
    spread = entry[f"{condition}_spread"]
    return percent(entry[condition][column]) + (f" ± {100 * spread[column]:.1f}" if spread else "")


def pareto_front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of (parameters, accuracy): those that no other beats with as few parameters."""
    front: list[tuple[float, float]] = []
    for parameters, accuracy in sorted(points, key=lambda p: (p[0], -p[1])):
        if not front or accuracy > front[-1][1]:
            front.append((parameters, accuracy))
    return front


def _draw_pareto(path: Path, done: Sequence[Mapping[str, Any]], data: str) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(9, 6), layout="constrained")
    points = [(entry["parameters"] / 1e6, 100 * (main_accuracy(entry) or 0)) for entry in done]
    for (x, y), entry in zip(points, done, strict=True):
        axis.scatter(x, y, color="C0" if entry["fusion"] == "scores" else "C1")
    front = pareto_front(points)
    axis.step([x for x, _ in front], [y for _, y in front], where="post", color="grey",
              linewidth=1, label="Pareto front")
    axis.set_xscale("log")
    axis.set_xticks([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"])
    axis.set_xticks([], minor=True)
    _label(axis, points, [entry["row"] for entry in done])
    axis.set_xlabel("parameters (millions); blue: pairs, orange: fused")
    axis.set_ylabel("test accuracy (%)")
    axis.set_title(f"{data}: accuracy against parameters")
    axis.grid(alpha=0.3)
    axis.legend(loc="best")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _label(axis: Any, points: Sequence[tuple[float, float]], names: Sequence[str]) -> None:
    """Names beside their points: of large networks to the left, and moved down where they would
    cover another. The axes get room for all of them."""
    xs, ys = zip(*points, strict=True)
    left, right = min(xs) / 1.2, max(max(xs) * 1.2, min(xs) * 4)
    height = max(max(ys) - min(ys), 5.0)
    lowest = min(ys)
    free = {"left": math.inf, "right": math.inf}  # below which no name stands yet, on each side
    for (x, y), name in sorted(zip(points, names, strict=True), key=lambda item: -item[0][1]):
        side = "left" if x > math.sqrt(left * right) else "right"
        free[side] = min(y, free[side] - height / 30)  # about a line
        lowest = min(lowest, free[side])
        aside = (right / left) ** 0.015
        axis.annotate(name, (x, y), xytext=(x * aside if side == "right" else x / aside,
                                            free[side]), fontsize=8, va="center",
                      ha="left" if side == "right" else "right",
                      arrowprops={"arrowstyle": "-", "color": "grey", "linewidth": 0.5})
    axis.set_xlim(left, right)
    axis.set_ylim(min(lowest, max(ys) - height) - height / 20, max(ys) + height / 20)
