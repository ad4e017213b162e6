"""Parts of a network as networks of their own, by the interpreter's own schema of `.tflite`."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.graph import operation_kinds, read_model, schema, write_model
from edge_runtime.errors import UsageError

FRONT_END = "front_end"  # part of the name of each of its tensors, see train/frontend.py


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
