"""How far networks are from the least time that this machine could need for them, and why.

The floor is the sum over layers of max(2 * multiply-adds / peak, bytes / bandwidth), by peaks that
are measured beside the networks: see benchmarks/peaks.py. The interpreter has no profile that
Python can read; in its place each layer is timed alone, see benchmarks/operations.py. That these
times add up to the network's own is shown beside them (`alone_ms`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.graph import read_layers
from benchmarks.latency import open_bundles
from benchmarks.operations import alone_ms, call_of
from benchmarks.peaks import PUBLISHED, Peak, peak_tasks
from benchmarks.timing import Distribution, clock_of, conditions, interleaved_ms
from edge_runtime.errors import UsageError

PEAK_RUNS = 20
WORST = 5


def measure_roofline(
    paths: Sequence[Path], *, threads: int = 1, rounds: int = 200
) -> dict[str, Any]:
    """Work, floor and time of each network: {"results": [...], "peak": {...}, "conditions": {...}}.

    Times are in milliseconds, of `rounds` runs with the networks in turn; half of the runs by which
    the peak is measured come before them and half after. A bundle's total is its networks one after
    the other.
    """
    if rounds < 1 or threads < 1:
        raise UsageError("--rounds and --threads expect a number of at least 1")
    bundles = open_bundles(paths)
    models = {(name, part): model for name, bundle in bundles.items()
              for part, model in bundle.models.items()}
    tasks = {key: call_of(model, threads) for key, model in models.items()}
    before = _peak_ms(threads)
    times = interleaved_ms(tasks, rounds, clock_of(threads))
    after = _peak_ms(threads)
    peak = Peak.best_of({name: before[name] + after[name] for name in before})
    results = [
        {"name": name, "family": bundle.manifest.family, "recipe": bundle.manifest.recipe,
         "networks": {part: _network(model, times[name, part], peak, threads)
                      for part, model in bundle.models.items()}}
        for name, bundle in bundles.items()]
    return {"results": [_with_totals(result) for result in results], "peak": _rounded(peak),
            "published": {name: _rounded(core.peak) for name, core in PUBLISHED.items()},
            "conditions": conditions(threads) | {"rounds": rounds, "clock": (
                "processor time" if threads == 1 else "wall")}}


def _peak_ms(threads: int) -> dict[str, list[float]]:
    """One after the other: a product of large matrices leaves nothing of a row in a cache."""
    return {name: interleaved_ms({name: task}, PEAK_RUNS // 2, clock_of(threads))[name]
            for name, task in peak_tasks(threads).items()}


def _rounded(peak: Peak) -> dict[str, float]:
    return {key: round(value, 1) for key, value in asdict(peak).items()}


def _network(
    model: bytes, times_ms: Sequence[float], peak: Peak, threads: int
) -> dict[str, Any]:
    layers = read_layers(model)
    floors = [peak.floor_ms(layer) for layer in layers]
    alone = [ms if layer.bytes else 0.0
             for layer, (_, ms) in zip(layers, alone_ms(model, threads), strict=True)]
    spread = Distribution.of(times_ms)
    floor = sum(floors)
    # By the figures that are given, or two that are equal but for rounding stand in disorder.
    worst = sorted(range(len(layers)), key=lambda i: round(floors[i], 4) - round(alone[i], 4))[
        :WORST]
    kinds = sorted({layer.kind for layer in layers})

    def total(values: Iterable[float], kind: str) -> float:
        return sum(value for value, layer in zip(values, layers, strict=True) if layer.kind == kind)

    by_kind = {kind: {"count": sum(layer.kind == kind for layer in layers),
                      "macs": int(total((layer.macs for layer in layers), kind)),
                      "bytes": int(total((layer.bytes for layer in layers), kind)),
                      "floor_ms": round(total(floors, kind), 4),
                      "alone_ms": round(total(alone, kind), 4)} for kind in kinds}
    return {
        "macs": sum(layer.macs for layer in layers),
        "int8_macs": sum(layer.macs for layer in layers if layer.int8),
        "bytes": sum(layer.bytes for layer in layers), "floor_ms": round(floor, 4),
        "median_ms": spread.median_ms, "min_ms": spread.min_ms,
        "ratio": round(spread.median_ms / floor, 3), "alone_ms": round(sum(alone), 4),
        "kinds": dict(sorted(by_kind.items(), key=lambda item: -item[1]["alone_ms"])),
        "worst": [{"kind": layers[i].kind, "name": _short(layers[i].name),
                   "macs": layers[i].macs, "bytes": layers[i].bytes,
                   "floor_ms": round(floors[i], 4), "alone_ms": round(alone[i], 4)} for i in worst],
        "predicted_ms": {name: round(sum(map(core.peak.floor_ms, layers)), 2)
                         for name, core in PUBLISHED.items()}}


def _short(name: str) -> str:
    """Converters join the names of all that was fused into an operation: the last that says
    something, without the network's own."""
    named = [part for part in name.split(";") if "/" in part] or [name]
    return "/".join(named[0].split("/")[1:]) or named[0]


def _with_totals(result: dict[str, Any]) -> dict[str, Any]:
    networks = result["networks"].values()
    keys = ("macs", "int8_macs", "bytes", "floor_ms", "median_ms")
    total = {key: round(sum(network[key] for network in networks), 4) for key in keys}
    predicted = {name: round(sum(network["predicted_ms"][name] for network in networks), 2)
                 for name in PUBLISHED}
    return result | {"total": total | {"ratio": round(total["median_ms"] / total["floor_ms"], 3),
                                       "predicted_ms": predicted}}
