"""A network in an interpreter: ai-edge-litert, or the older tflite-runtime where it is absent."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.errors import BundleError
from edge_runtime.output import silenced_stderr

LITERT, TFLITE_RUNTIME = "ai-edge-litert", "tflite-runtime"
CHOICES = ((LITERT, "ai_edge_litert.interpreter"), (TFLITE_RUNTIME, "tflite_runtime.interpreter"))

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class InterpreterChoice:
    """The interpreter that this process uses."""

    name: str
    version: str
    make: Callable[..., Any]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@functools.cache
def chosen_interpreter() -> InterpreterChoice:
    """The first interpreter that imports, chosen once per process."""
    for name, module in CHOICES:
        try:
            make = import_module(module).Interpreter
        except ImportError:
            continue
        return InterpreterChoice(name, metadata.version(name), make)
    raise BundleError("no interpreter for .tflite files is installed; 'pip install ai-edge-litert'")


@dataclass(frozen=True)
class Outputs:
    """scores: softmax [people]. embedding: features of length 1 [dim]."""

    scores: Array
    embedding: Array


class Network:
    """A `.tflite` model, ready to run."""

    def __init__(self, model: bytes, num_threads: int = 1) -> None:
        make = chosen_interpreter().make
        with silenced_stderr():  # it says once per process that it has made a delegate
            self._interpreter = make(model_content=model, num_threads=num_threads)
            self._interpreter.allocate_tensors()
        # The interpreter refuses to run as long as its signature runner is alive.
        runner = self._interpreter.get_signature_runner()
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
        del runner
        self.inputs, self.outputs = _shapes(inputs), _shapes(outputs)
        self._input_index = {name: details["index"] for name, details in inputs.items()}
        self._output_index = {name: details["index"] for name, details in outputs.items()}

    def run(self, **inputs: Array) -> Outputs:
        """Each input float32 in the shape of `inputs`, batch 1; see the graph contract."""
        for name, value in inputs.items():
            self._interpreter.set_tensor(self._input_index[name], value)
        self._interpreter.invoke()
        return Outputs(self._output("scores"), self._output("embedding"))

    def _output(self, name: str) -> Array:
        row: Array = self._interpreter.get_tensor(self._output_index[name])[0]
        return row

    def xnnpack_partitions(self) -> int | None:
        """See `count_partitions`."""
        return count_partitions(self._interpreter)


def count_partitions(interpreter: Any) -> int | None:
    """How many pieces of the graph the XNNPACK delegate took; None where it is not to be seen.

    Read from the interpreter's own list of nodes, in which each piece is one of kind DELEGATE.
    """
    details = getattr(interpreter, "_get_ops_details", None)
    if details is None:
        return None
    return sum(bool(node["op_name"] == "DELEGATE") for node in details())


def _shapes(details: dict[str, dict[str, Any]]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(int(n) for n in tensor["shape"]) for name, tensor in details.items()}
