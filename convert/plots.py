"""What a sweep over recipes found: the table, accuracy against time, error by layer."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report.conversion import operations_table, recipes_table
from convert.auto import Ladder
from train.sweep.table import pareto_front


def write_tables(out: Path, content: Mapping[str, Any]) -> None:
    """sweep.md, pareto.png and layers.png."""
    (out / "sweep.md").write_text(f"{recipes_table(content)}\n{operations_table(content)}",
                                  encoding="utf-8")
    made = [entry for entry in content["recipes"] if not entry["reason"]]
    title = f"{content['family']} on {content['data']}"
    _draw_pareto(out / "pareto.png", made, title)
    _draw_layers(out / "layers.png", made, content["layers"], title)


def draw_ladder(path: Path, ladder: Ladder) -> None:
    """Accuracy and speed of each rung of `auto`, and which was taken."""
    pyplot = _pyplot()
    figure, axis = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    raised = [rung.raised for rung in ladder.rungs]
    axis.plot(raised, [100 * rung.accuracy for rung in ladder.rungs], "o-", label="accuracy")
    axis.axhline(100 * (ladder.float32 - ladder.max_drop), color="C3", linestyle="--", linewidth=1,
                 label="at least")
    axis.axvline(ladder.best.raised, color="grey", linewidth=6, alpha=0.3, label="taken")
    speed = axis.twinx()
    speed.plot(raised, [rung.float32_ms / rung.ms for rung in ladder.rungs], "s:", color="C1",
               label="speed")
    axis.set_xlabel(f"layers in float32, the worst first, of {len(ladder.ranked)}")
    axis.set_ylabel("accuracy on combinations of validation files (%)")
    speed.set_ylabel("speed, times float32's")
    lines = [*axis.get_legend_handles_labels()[0], *speed.get_legend_handles_labels()[0]]
    axis.legend(lines, [line.get_label() for line in lines], loc="best")
    axis.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _draw_pareto(path: Path, made: Sequence[Mapping[str, Any]], title: str) -> None:
    pyplot = _pyplot()
    column = list(made[0]["accuracy"])[-1]
    points = [(entry["median_ms"]["total"], 100 * entry["accuracy"][column]) for entry in made]
    figure, axis = pyplot.subplots(figsize=(8, 5), layout="constrained")
    for (x, y), entry in zip(points, made, strict=True):
        low, high = entry["interval"][column]
        axis.errorbar(x, y, yerr=[[max(y - 100 * low, 0)], [max(100 * high - y, 0)]], fmt="o",
                      color="C0" if entry["certified"] else "C3", capsize=3)
        axis.annotate(f"{entry['recipe']}, {entry['bytes']['total'] / 1e6:.1f} MB", (x, y),
                      xytext=(6, 5), textcoords="offset points", fontsize=8)
    front = pareto_front(points)
    axis.step([x for x, _ in front], [y for _, y in front], where="post", color="grey",
              linewidth=1, label="Pareto front")
    if max(x for x, _ in points) > 10 * min(x for x, _ in points):
        axis.set_xscale("log")
    axis.margins(x=0.2)
    axis.set_xlabel("median of both networks, one thread (ms); red: not certified")
    axis.set_ylabel(f"{column} (%), 95 % interval over people")
    axis.set_title(f"{title}: accuracy against time")
    axis.grid(alpha=0.3, which="both")
    axis.legend(loc="lower right")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _draw_layers(
    path: Path, made: Sequence[Mapping[str, Any]], layers: Mapping[str, Sequence[str]], title: str
) -> None:
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(len(layers), 1, figsize=(9, 3.5 * len(layers)), squeeze=False,
                                   layout="constrained")
    for axis, (part, names) in zip(axes[:, 0], layers.items(), strict=True):
        for entry in made:
            if snr := entry["layer_snr_db"].get(part):
                axis.plot([math.nan if db is None else db for db in snr], linewidth=1,
                          label=entry["recipe"])
        axis.set_title(f"{title}: {part} network", fontsize=10)
        _name_stretches(axis, names)
        axis.set_xlabel("operation, in the order of the graph")
        axis.set_ylabel("signal over error (dB)")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7, ncols=2)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _name_stretches(axis: Any, names: Sequence[str]) -> None:
    """Mark where each stage begins."""
    starts: dict[str, int] = {}
    for i, name in enumerate(names):
        if found := re.search(r"(front_end|stem|stage[3-9]|block\d+|last)(?=[_/])", name):
            starts.setdefault(found[1], i)
    for stage, i in starts.items():
        axis.axvline(i, color="grey", linewidth=0.5)
        axis.annotate(stage, (i, 0), xycoords=("data", "axes fraction"), xytext=(2, 3),
                      textcoords="offset points", fontsize=6, rotation=90, va="bottom")


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
