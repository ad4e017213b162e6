"""Where a network's time goes, operation by operation and by their kinds.

The interpreter's Python has no profiler, and to it a delegated network is one operation. So each
operation is cut out by the schema of `.tflite` and timed alone, as a network of nothing else in the
same interpreter; what a call costs, by a sum of two numbers run in turn with it, is taken off. What
that leaves out (weights that have to come back into the cache, operations that XNNPACK joins) shows
in the sum beside the whole network's time.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.cost.graph import operation_kinds, read_model, schema, sum_model, write_model
from benchmarks.cost.timing import clock_of, interleaved_ms
from edge_runtime.bundle.networks import chosen_interpreter
from edge_runtime.console.output import silenced_stderr, table, with_progress
from edge_runtime.errors import UsageError

RUNS = 30
_SHOWN_SHARE = 0.02  # of a network's time
METHOD = ("the quickest run of each operation alone in a network of its own, less that of a sum of "
          "two numbers; no profiler in Python")


def measure_operations(model: bytes, threads: int = 1) -> dict[str, Any]:
    """{"method", "whole_ms", "sum_ms", "kinds": [{"kind", "count", "ms"}]}, the longest first."""
    times_ms = defaultdict[str, list[float]](list)
    for kind, ms in alone_ms(model, threads):
        times_ms[kind].append(ms)
    kinds = [{"kind": kind, "count": len(times), "ms": round(sum(times), 4)}
             for kind, times in sorted(times_ms.items(), key=lambda item: -sum(item[1]))]
    whole = _least_ms({"whole": call_of(model, threads)}, threads)["whole"]
    return {"method": METHOD, "whole_ms": round(whole, 4),
            "sum_ms": round(sum(map(sum, times_ms.values())), 4), "kinds": kinds}


def alone_ms(model: bytes, threads: int) -> list[tuple[str, float]]:
    """Each operation's kind and milliseconds, in their order."""
    call = call_of(sum_model(1), threads)
    found = []
    for kind, part in with_progress(list(single_operations(model)), "layers"):
        # In turn: a call that is timed by itself, on a processor whose clock changes, is wrong by a
        # third of a microsecond, and a network has 250 operations.
        least = _least_ms({"part": call_of(part, threads), "call": call}, threads)
        found.append((kind, max(least["part"] - least["call"], 0.0)))
    return found


def _least_ms(tasks: Mapping[str, Callable[[], object]], threads: int) -> dict[str, float]:
    """Of runs without a break, so that what an operation reads is in the cache, as it would be
    where another one has just written it."""
    times = interleaved_ms(tasks, RUNS, clock_of(threads))
    return {name: min(times[name]) for name in tasks}


def call_of(model: bytes, threads: int) -> Callable[[], object]:
    """A run of any network on noise."""
    with silenced_stderr():
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


FRONT_END = "front_end"  # part of the name of each of its tensors, see train/models/frontend.py


def single_operations(model: bytes) -> Iterator[tuple[str, bytes]]:
    """Each operation's kind (CONV_2D, ADD ...) and a network of nothing else, in their order."""
    whole = read_model(model)
    kinds = operation_kinds(whole)
    for operator in whole.subgraphs[0].operators:
        yield kinds[operator.opcodeIndex], _network_of(whole, [operator])


def front_end_of(model: bytes) -> bytes:
    """The voice front end that is part of a voice network: samples in, spectrogram out."""
    whole = read_model(model)
    graph = whole.subgraphs[0]
    ends = [i for i, operator in enumerate(graph.operators)
            if FRONT_END in graph.tensors[operator.outputs[0]].name.decode()]
    if not ends:
        raise UsageError("expected a voice network with its front end, found none of its tensors")
    wanted: list[Any] = []
    needed = set(graph.operators[ends[-1]].outputs)
    for operator in reversed(graph.operators[: ends[-1] + 1]):
        if needed & set(operator.outputs):
            wanted.insert(0, operator)
            needed |= set(operator.inputs)
    return _network_of(whole, wanted)


def _network_of(whole: Any, operators: Sequence[Any]) -> bytes:
    """What the operators take from others becomes an input, what they leave unused an output."""
    graph = whole.subgraphs[0]
    taken = [i for operator in operators for i in operator.inputs if i >= 0]
    made = [i for operator in operators for i in operator.outputs]
    place = {old: new for new, old in enumerate(dict.fromkeys([*taken, *made]))}
    is_constant = {old: whole.buffers[graph.tensors[old].buffer].data is not None for old in place}
    part = copy.copy(graph)
    part.inputs = [place[i] for i in dict.fromkeys(taken)
                   if i not in made and not is_constant[i]]
    part.outputs = [place[i] for i in made if i not in taken]
    part.tensors, buffers = [], [schema().BufferT()]  # the first is that of all without content
    for old in place:
        tensor = copy.copy(graph.tensors[old])
        buffers += [whole.buffers[tensor.buffer]] * is_constant[old]
        tensor.buffer = len(buffers) - 1 if is_constant[old] else 0
        part.tensors.append(tensor)
    part.operators = []
    for operator in operators:
        moved = copy.copy(operator)
        moved.inputs = [place.get(i, i) for i in operator.inputs]
        moved.outputs = [place[i] for i in operator.outputs]
        part.operators.append(moved)
    network = copy.copy(whole)
    network.subgraphs, network.buffers = [part], buffers
    network.signatureDefs = network.metadata = network.metadataBuffer = None
    return write_model(network)
