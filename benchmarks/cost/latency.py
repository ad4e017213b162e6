"""How long bundles take: cold in a fresh process, warm in turn with each other."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cost.operations import measure_operations
from benchmarks.cost.stages import measure_stages, several
from benchmarks.cost.timing import Distribution, Repeats, conditions, interleaved_ms, run_child
from edge_runtime.bundle.manifest import FILE_NAME
from edge_runtime.bundle.networks import Bundle, Network, load_bundle
from edge_runtime.console.output import table
from edge_runtime.decision.identify import Identifier
from edge_runtime.errors import UsageError

COLD_RUNS = 3

Candidate = tuple[str, int]  # a bundle's name, and the interpreter's threads


def measure_latency(
    paths: Sequence[Path], *, threads: Sequence[int] = (1,), rounds: int = 200
) -> dict[str, Any]:
    """Warm and cold times of bundles: {"results": [...], "conditions": {...}}.

    There is a result for each bundle and number of threads, all run in turn. Every time is {"face",
    "voice", "total"} (or {"fused", "total"}), in milliseconds; total is the networks one after the
    other. The inputs are noise: no operation's time depends on its values.
    """
    if rounds < 1 or min(threads) < 1:
        raise UsageError("--rounds and --threads expect numbers of at least 1")
    bundles = open_bundles(paths)
    networks = {(name, count): bundle.networks(count)
                for name, bundle in bundles.items() for count in threads}
    tasks = {(*candidate, part): task_of(network)
             for candidate, found in networks.items() for part, network in found.items()}
    times = interleaved_ms(tasks, rounds)
    results = []
    for (name, count), found in networks.items():
        rows = {part: times[name, count, part] for part in found}
        pieces = {part: network.xnnpack_partitions() for part, network in found.items()}
        results.append(_identity(name, bundles[name]) | {"threads": count, "partitions": pieces}
                       | _warm(rows) | {"cold": _cold(name, count)})
    known = threads[0] if len(threads) == 1 else list(threads)
    return {"results": results, "conditions": conditions(known) | {"rounds": rounds}}


def add_details(content: dict[str, Any]) -> None:
    """Add to what `measure_latency` found the times by stage of a decision ("stages_ms") and by
    kind of operation ("operations", of each network)."""
    identifiers = {
        (result["name"], result["threads"]): Identifier.load(
            Path(result["name"]), num_threads=result["threads"], allow_uncertified=True)
        for result in content["results"]}
    stages, content["not_detected"] = measure_stages(identifiers)
    for result in content["results"]:
        name, count = result["name"], result["threads"]
        bundle = load_bundle(Path(name), allow_uncertified=True)
        result["stages_ms"] = stages[name, count]
        result["operations"] = {part: measure_operations(model, count)
                                for part, model in bundle.models.items()}


def open_bundles(paths: Sequence[Path]) -> dict[str, Bundle]:
    """Bundles by name, certified or not. BundleError for one that cannot be used, UsageError for
    one that is named twice."""
    bundles = {str(path): load_bundle(path, allow_uncertified=True) for path in paths}
    if len(bundles) < len(paths):
        raise UsageError("expected different bundles, found one named twice")
    return bundles


def task_of(network: Network) -> Callable[[], object]:
    """A run of the network on noise."""
    rng = np.random.default_rng(0)
    inputs = {name: rng.standard_normal(shape, dtype=np.float32) * (50 if name == "face" else 1)
              for name, shape in network.inputs.items()}
    return functools.partial(network.run, **inputs)


def _identity(name: str, bundle: Bundle) -> dict[str, Any]:
    """sha256: of the manifest, which holds the hash of every file."""
    content = (bundle.path / FILE_NAME).read_bytes()
    return {"name": name, "family": bundle.manifest.family, "recipe": bundle.manifest.recipe,
            "sha256": hashlib.sha256(content).hexdigest()}


def _warm(parts: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    total = [sum(row) for row in zip(*parts.values(), strict=True)]
    rows = {**parts, "total": total}
    spread = {part: asdict(Distribution.of(row)) for part, row in rows.items()}
    return {key: {part: spread[part][key] for part in rows} for key in spread["total"]} | asdict(
        Repeats.of(total))


def _cold(name: str, threads: int) -> dict[str, float]:
    """The median of fresh processes."""
    arguments = (str(Path(name).resolve()), str(threads))  # the child runs in the clone's folder
    runs = [run_child("benchmarks.cost.cold", *arguments) for _ in range(COLD_RUNS)]
    return {key: round(sorted(run[key] for run in runs)[COLD_RUNS // 2], 1) for key in runs[0]}


def latency_table(content: Mapping[str, Any]) -> str:
    """The results as a Markdown table."""
    results = content["results"]
    with_threads = several(results)
    rows = []
    for result in results:
        parts = [part for part in result["median_ms"] if part != "total"]
        rows.append([result["name"], result["recipe"], *([str(result["threads"])] * with_threads),
                     " + ".join(f"{result['median_ms'][part]:.2f}" for part in parts),
                     *(f"{result[key]['total']:.2f}"
                       for key in ("median_ms", "p90_ms", "p99_ms", "min_ms")),
                     "no" if result["unstable"] else "yes",
                     f"{sum(result['cold'][k] for k in ('import_ms', 'load_ms', 'first_ms')):.0f}",
                     f"{result['cold']['cpu_ms']:.0f}", f"{result['cold']['peak_mib']:.0f}"])
    return table(["bundle", "recipe", *(["threads"] * with_threads), "networks (ms)",
                  "median (ms)", "p90", "p99", "least", "steady", "cold start (ms)", "its CPU (ms)",
                  "memory (MiB)"], rows)
