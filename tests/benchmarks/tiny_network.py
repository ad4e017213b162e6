"""A network small enough to count by hand, written as a `.tflite` file operation by operation."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema


def tiny_network() -> bytes:
    """float32: [1, 8, 8, 3] -> convolution 3x3 /2 to 4 channels -> depthwise 3x3 -> reshape to
    [1, 64] -> dense to 10."""
    shapes = {"picture": [1, 8, 8, 3], "conv_weights": [4, 3, 3, 3], "conv_bias": [4],
              "conv": [1, 4, 4, 4], "depthwise_weights": [1, 3, 3, 4], "depthwise_bias": [4],
              "depthwise": [1, 4, 4, 4], "shape": [2], "row": [1, 64], "dense_weights": [10, 64],
              "dense": [1, 10]}
    rng = np.random.default_rng(0)
    values = {name: rng.standard_normal(shapes[name], dtype=np.float32) for name in shapes
              if "weights" in name or "bias" in name} | {"shape": np.array([1, 64], np.int32)}
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
    names, graph.tensors = list(shapes), []
    for name, shape in shapes.items():
        tensor = schema.TensorT()
        tensor.name, tensor.shape = name.encode(), shape
        tensor.type = schema.TensorType.INT32 if name == "shape" else schema.TensorType.FLOAT32
        if name in values:
            tensor.buffer = len(model.buffers)
            stored = schema.BufferT()
            stored.data = np.frombuffer(values[name].tobytes(), np.uint8)
            model.buffers.append(stored)
        graph.tensors.append(tensor)
    conv, depthwise = schema.Conv2DOptionsT(), schema.DepthwiseConv2DOptionsT()
    conv.strideH = conv.strideW = 2
    depthwise.strideH = depthwise.strideW = depthwise.depthMultiplier = 1
    model.operatorCodes, graph.operators = [], []
    for kind, options, inputs, output in (
            ("CONV_2D", conv, ["picture", "conv_weights", "conv_bias"], "conv"),
            ("DEPTHWISE_CONV_2D", depthwise, ["conv", "depthwise_weights", "depthwise_bias"],
             "depthwise"),
            ("RESHAPE", schema.ReshapeOptionsT(), ["depthwise", "shape"], "row"),
            ("FULLY_CONNECTED", schema.FullyConnectedOptionsT(), ["row", "dense_weights"],
             "dense")):
        _add(model, graph, kind, options, [names.index(name) for name in inputs],
             names.index(output))
    graph.inputs, graph.outputs = [names.index("picture")], [names.index("dense")]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _add(model: Any, graph: Any, kind: str, options: Any, inputs: list[int], output: int) -> None:
    code, operation = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, kind)
    code.version = 1
    if kind == "RESHAPE":
        options.newShape = [1, 64]
    operation.opcodeIndex = len(model.operatorCodes)
    operation.inputs, operation.outputs = inputs, [output]
    operation.builtinOptions = options
    operation.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
    model.operatorCodes.append(code)
    graph.operators.append(operation)
