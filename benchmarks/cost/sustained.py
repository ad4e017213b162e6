"""What a device makes of a long load: times over minutes beside clock, heat and throttling."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cost.latency import open_bundles, task_of
from benchmarks.cost.timing import Distribution, conditions, timed_ms
from edge_runtime.console.output import table
from edge_runtime.doctor.hardware import celsius, clock_mhz, is_throttled
from edge_runtime.doctor.machine import Machine
from edge_runtime.errors import UsageError

POINTS = 120  # of the curve, each at least a second
_SHOWN = 12  # of them in the table
_UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds_of(text: str) -> float:
    """30s, 30m or 1h as seconds. UsageError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if not found or not float(found[1]):
        raise UsageError(f"--sustained expects a duration such as 90s, 30m or 1h, found '{text}'")
    return float(found[1]) * _UNITS[found[2]]


def measure_sustained(
    paths: Sequence[Path], seconds: float, *, threads: int = 1
) -> dict[str, Any]:
    """Bundles in turn without a pause: {"points": [...], "conditions": {...}}.

    A point holds at_s, median_ms of all networks of each bundle, clock_mhz, celsius and throttled
    (null where the machine does not tell).
    """
    if threads < 1:
        raise UsageError("--threads expects numbers of at least 1")
    tasks = {name: [task_of(network) for network in bundle.networks(threads).values()]
             for name, bundle in open_bundles(paths).items()}
    before, machine, points = conditions(threads), Machine(), []
    begin = time.monotonic()
    period = max(1.0, seconds / POINTS)
    while (at_s := time.monotonic() - begin) < seconds:
        rows: dict[str, list[float]] = {name: [] for name in tasks}
        end = min(at_s + period, seconds)
        while (at_s := time.monotonic() - begin) < end:
            for name, networks in tasks.items():
                rows[name].append(sum(map(timed_ms, networks)))
        points.append({
            "at_s": round(at_s, 1),
            "median_ms": {name: Distribution.of(row).median_ms for name, row in rows.items()},
            "clock_mhz": clock_mhz(machine), "celsius": celsius(machine),
            "throttled": is_throttled(machine)})
    return {"points": points, "conditions": before | {"seconds": seconds}}


def sustained_table(content: Mapping[str, Any]) -> str:
    """Some points of the curve, from the first to the last, as a Markdown table."""
    points = content["points"]
    step = max(1, (len(points) - 1) / (_SHOWN - 1))
    shown = [points[round(i * step)] for i in range(min(_SHOWN, len(points)))]
    names = list(points[0]["median_ms"])
    rows = [[f"{point['at_s']:.0f}", *(f"{point['median_ms'][name]:.2f}" for name in names),
             *("-" if point[key] is None else f"{point[key]:.0f}"
               for key in ("clock_mhz", "celsius")),
             {None: "-", True: "yes", False: "no"}[point["throttled"]]] for point in shown]
    return table(["after (s)", *(f"{name} (ms)" for name in names), "MHz", "°C", "throttled"], rows)


def plot_sustained(content: Mapping[str, Any], out: Path) -> None:
    """The curve as a picture. UsageError where matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError("the curve is drawn by matplotlib, found none; pip install matplotlib, or "
                         "keep to the table and --json") from None
    points = content["points"]
    minutes = [point["at_s"] / 60 for point in points]
    known = [(key, label) for key, label in (("clock_mhz", "MHz"), ("celsius", "°C"))
             if any(point[key] is not None for point in points)]
    figure = Figure(figsize=(8, 2.2 * (1 + len(known))), layout="constrained")
    upper, *others = figure.subplots(1 + len(known), sharex=True, squeeze=False)[:, 0]
    for name in points[0]["median_ms"]:
        upper.plot(minutes, [point["median_ms"][name] for point in points], label=name)
    upper.set(ylabel="ms", ylim=(0, None))
    upper.legend()
    for axes, (key, label) in zip(others, known, strict=True):
        axes.plot(minutes, [float("nan") if point[key] is None else point[key]
                            for point in points], color="tab:red")
        axes.set_ylabel(label)
    for minute, point in zip(minutes, points, strict=True):
        if point["throttled"]:
            for axes in (upper, *others):
                axes.axvspan(minute - points[0]["at_s"] / 60, minute, color="tab:orange", alpha=0.2)
    (others or [upper])[-1].set_xlabel("minutes (shaded: throttled)")
    figure.savefig(out)
