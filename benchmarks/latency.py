"""How long bundles take: cold in a fresh process, warm in turn with each other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import Distribution, conditions, interleaved_ms, run_child
from edge_runtime.bundle import Bundle, load_bundle
from edge_runtime.command import table
from edge_runtime.errors import UsageError

COLD_RUNS = 3


def measure_latency(
    paths: Sequence[Path], *, threads: int = 1, rounds: int = 200
) -> dict[str, Any]:
    """Warm and cold times of bundles: {"results": [...], "conditions": {...}}.

    Every time is {"face", "voice", "total"} (or {"fused", "total"}), in milliseconds; total is the
    networks one after the other. The inputs are noise: no operation's time depends on its values.
    """
    if rounds < 1 or threads < 1:
        raise UsageError("--rounds and --threads expect a number of at least 1")
    bundles = {str(path): load_bundle(path, allow_uncertified=True) for path in paths}
    if len(bundles) < len(paths):
        raise UsageError("expected different bundles, found one named twice")
    tasks: dict[str, Callable[[], object]] = {}
    for name, bundle in bundles.items():
        tasks |= {f"{name}\n{part}": task for part, task in _tasks(bundle, threads).items()}
    times = interleaved_ms(tasks, rounds)
    results = [_result(name, bundle, times, threads) for name, bundle in bundles.items()]
    return {"results": results, "conditions": conditions(threads) | {"rounds": rounds}}


def _tasks(bundle: Bundle, threads: int) -> dict[str, Callable[[], object]]:
    rng = np.random.default_rng(0)
    tasks: dict[str, Callable[[], object]] = {}
    for part, network in bundle.networks(threads).items():
        inputs = {name: rng.standard_normal(shape, dtype=np.float32) * (50 if name == "face" else 1)
                  for name, shape in network.inputs.items()}
        tasks[part] = functools.partial(network.run, **inputs)
    return tasks


def _result(
    name: str, bundle: Bundle, times: dict[str, list[float]], threads: int
) -> dict[str, Any]:
    parts = {part: times[f"{name}\n{part}"] for part in bundle.manifest.files}
    parts["total"] = [sum(row) for row in zip(*parts.values(), strict=True)]
    spread = {part: asdict(Distribution.of(row)) for part, row in parts.items()}
    warm = {key: {part: spread[part][key] for part in spread} for key in spread["total"]}
    arguments = (str(Path(name).resolve()), str(threads))  # the child runs in the clone's folder
    cold_runs = [run_child("benchmarks.cold", *arguments) for _ in range(COLD_RUNS)]
    cold = {key: round(sorted(run[key] for run in cold_runs)[COLD_RUNS // 2], 1)
            for key in cold_runs[0]}
    return {"name": name, "family": bundle.manifest.family, "recipe": bundle.manifest.recipe,
            **warm, "cold": cold}


def latency_table(content: dict[str, Any]) -> str:
    """The results as a Markdown table."""
    rows = []
    for result in content["results"]:
        parts = [part for part in result["median_ms"] if part != "total"]
        rows.append([result["name"], result["recipe"],
                     " + ".join(f"{result['median_ms'][part]:.2f}" for part in parts),
                     *(f"{result[key]['total']:.2f}"
                       for key in ("median_ms", "p90_ms", "p99_ms", "min_ms")),
                     f"{sum(result['cold'][k] for k in ('import_ms', 'load_ms', 'first_ms')):.0f}",
                     f"{result['cold']['peak_mib']:.0f}"])
    return table(["bundle", "recipe", "networks (ms)", "median (ms)", "p90", "p99", "least",
                  "cold start (ms)", "memory (MiB)"], rows)
