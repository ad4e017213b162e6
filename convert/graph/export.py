"""From a Keras network to a float32 `.tflite` model: static shapes, builtin operations only."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections import Counter
from collections.abc import Iterator

import keras
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from benchmarks.cost.graph import operation_kinds
from edge_runtime.console.output import silenced_stderr
from edge_runtime.errors import ConversionError

SIGNATURE = "serving_default"


def export_float32(network: keras.Model) -> bytes:
    """Convert at batch 1. Raises ConversionError where the result breaks the graph contract.

    The detour over a SavedModel is needed: converted from a concrete function, a Keras 3 model
    comes out without its weights. Keras's own export writes the same model in twice the time: it
    saves every layer.
    """
    specs = [tf.TensorSpec((1, *tensor.shape[1:]), tf.float32, name=tensor.name)
             for tensor in network.inputs]
    names = [tensor.name for tensor in network.inputs]

    def serve(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict(network(dict(zip(names, inputs, strict=True)), training=False))

    module = tf.Module()
    module.held = [variable.value for variable in network.variables]
    module.serve = tf.function(serve, input_signature=specs, autograph=False)
    with tempfile.TemporaryDirectory() as folder, quiet():
        tf.saved_model.save(module, folder, signatures={SIGNATURE: module.serve})
        model = convert_saved_model(folder, network.name)
    weights = 4 * sum(w.size for w in network.get_weights())
    if len(model) < 0.9 * weights:
        raise ConversionError(f"{network.name}: expected about {weights} bytes of weights, found "
                              f"{len(model)} in all: the converter lost them")
    return model


def convert_saved_model(folder: str, name: str, *, quantized: bool = False) -> bytes:
    """quantized: what quantization-aware training has prepared becomes int8."""
    converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if quantized:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    try:
        model = bytes(converter.convert())
    except Exception as error:  # the converter raises classes of its own, and plain Exception
        raise ConversionError(f"{name}: the TFLite converter refuses the network "
                              f"({first_line(error)})") from error
    _check(name, model)
    return model


def operations(model: bytes) -> dict[str, int]:
    """How many operations of each kind a model holds, by TFLite's name, most frequent first."""
    return dict(Counter(kind for kind, _ in operations_in_order(model)).most_common())


def operations_in_order(model: bytes) -> list[tuple[str, str]]:
    """Kind and name of the first output of each operation, as they are run."""
    graph = schema.ModelT.InitFromPackedBuf(model, 0)
    kinds = operation_kinds(graph)
    return [(kinds[op.opcodeIndex], subgraph.tensors[op.outputs[0]].name.decode())
            for subgraph in graph.subgraphs for op in subgraph.operators]


def _check(name: str, model: bytes) -> None:
    if custom := [kind for kind in operations(model) if kind in ("CUSTOM", "DELEGATE")]:
        raise ConversionError(f"{name}: expected builtin operations only, found {custom}")
    dynamic = [kind for kind in operations(model) if kind in ("SHAPE", "WHILE", "IF")]
    graph = schema.ModelT.InitFromPackedBuf(model, 0)
    if dynamic or any(tensor.shapeSignature is not None and -1 in list(tensor.shapeSignature)
                      for tensor in graph.subgraphs[0].tensors):
        raise ConversionError(f"{name}: expected static shapes, found dynamic ones "
                              f"({', '.join(dynamic) or 'an open dimension'})")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the converters' chatter, a page for each network, off the user's screen."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with silenced_stderr(), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)


def first_line(error: Exception) -> str:
    """What an error says, as one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
