"""Where a network's time goes, by kind of operation.

The interpreter's Python has no profiler, and to it a delegated network is one operation. So each
operation is timed alone, as a network of nothing else in the same interpreter; the quickest of all
stands for what a call costs and is taken off. What that leaves out (weights that have to come back
into the cache, operations that XNNPACK joins) shows in the sum beside the whole network's time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.cutting import single_operations
from benchmarks.timing import Distribution, interleaved_ms
from edge_runtime.command import silenced_stderr, table
from edge_runtime.interpreter import chosen_interpreter

ROUNDS = 20
_SHOWN_SHARE = 0.02  # of a network's time
METHOD = "each operation alone in a network of its own, less the quickest; no profiler in Python"


def measure_operations(model: bytes, threads: int = 1) -> dict[str, Any]:
    """{"method", "whole_ms", "sum_ms", "kinds": [{"kind", "count", "ms"}]}, the longest first."""
    with silenced_stderr():
        tasks = {"whole": call_of(model, threads)}
        kinds: dict[str, str] = {}
        for number, (kind, part) in enumerate(single_operations(model)):
            tasks[str(number)] = call_of(part, threads)
            kinds[str(number)] = kind
    median = {name: _median_ms(task) for name, task in tasks.items()}
    whole = median.pop("whole")
    call = min(median.values())
    found = [{"kind": kind, "count": sum(k == kind for k in kinds.values()),
              "ms": round(sum(median[n] - call for n, k in kinds.items() if k == kind), 4)}
             for kind in dict.fromkeys(kinds.values())]
    return {"method": METHOD, "whole_ms": whole,
            "sum_ms": round(call + sum(ms - call for ms in median.values()), 4),
            "kinds": sorted(found, key=lambda row: -float(str(row["ms"])))}


def _median_ms(task: Callable[[], object]) -> float:
    """Of runs without a break, so that what an operation reads is in the cache, as it would be
    where another one has just written it."""
    return Distribution.of(interleaved_ms({"": task}, ROUNDS)[""]).median_ms


def call_of(model: bytes, threads: int) -> Callable[[], object]:
    """A run of any network on noise."""
    interpreter = chosen_interpreter().make(model_content=model, num_threads=threads)
    interpreter.allocate_tensors()
    rng = np.random.default_rng(0)
    for details in interpreter.get_input_details():
        noise = rng.uniform(0, 1, details["shape"])
        interpreter.set_tensor(details["index"], noise.astype(details["dtype"]))
    call: Callable[[], object] = interpreter.invoke
    return call


def operations_table(found: dict[str, dict[str, Any]]) -> str:
    """A row for each kind that takes much in one of the networks, a column for each network."""
    rows = {part: {row["kind"]: row for row in content["kinds"]}
            for part, content in found.items()}

    def share(kind: str) -> float:
        return max(float(rows[part][kind]["ms"]) / content["sum_ms"] if kind in rows[part] else 0
                   for part, content in found.items())

    kinds = sorted({kind for known in rows.values() for kind in known}, key=share, reverse=True)
    shown = [kind for kind in kinds if share(kind) >= _SHOWN_SHARE]

    def cell(part: str, kinds: Sequence[str]) -> str:
        known = [rows[part][kind] for kind in kinds if kind in rows[part]]
        return (f"{sum(row['ms'] for row in known):.3f} ({sum(row['count'] for row in known)})"
                if known else "-")

    lines = [[kind, *(cell(part, [kind]) for part in found)] for kind in shown]
    if others := [kind for kind in kinds if kind not in shown]:
        lines.append(["others", *(cell(part, others) for part in found)])
    lines += [[label, *(f"{content[key]:.3f}" for content in found.values())]
              for label, key in (("sum", "sum_ms"), ("whole network", "whole_ms"))]
    return table(["ms by kind of operation (how many)", *found], lines)
