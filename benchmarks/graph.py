"""What is inside a `.tflite` file: its layers, their multiply-adds and bytes; and models of one
operation, cut out of a file or made anew.

Read and written by the schema that ai-edge-litert ships and by flatbuffers, which it installs.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt

from edge_runtime.errors import UsageError

try:
    from ai_edge_litert import schema_py_generated as schema
except ImportError:
    raise UsageError("reading .tflite files takes ai-edge-litert, found none; 'pip install "
                     "ai-edge-litert' (Python 3.11 or newer, 64-bit)") from None

KINDS: dict[int, str] = {value: name for name, value in vars(schema.BuiltinOperator).items()
                         if isinstance(value, int)}
_TYPES: dict[int, str] = {value: name for name, value in vars(schema.TensorType).items()
                          if isinstance(value, int)}
_BITS = {"FLOAT32": 32, "FLOAT16": 16, "INT32": 32, "INT64": 64, "INT16": 16, "INT8": 8, "UINT8": 8,
         "INT4": 4, "BOOL": 8}
_VIEWS = {"RESHAPE", "SQUEEZE", "EXPAND_DIMS"}  # the same bytes by another shape: none need move


@dataclass(frozen=True)
class Layer:
    """One operation. name: of its first output. macs: multiply-adds. int8: whether both sides of
    its products are 8 bits or fewer when they are multiplied. bytes: of inputs, constants and
    outputs, each once; none where nothing has to move."""

    kind: str
    name: str
    macs: int
    bytes: int
    int8: bool


def read_layers(model: bytes) -> list[Layer]:
    """The layers of a model's one graph, in the order in which they are run.

    Operations on constants alone are worked out once, when a model is opened: they cost nothing,
    and what they put out has the bytes of what is stored.
    """
    content = read_model(model)
    graph = content.subgraphs[0]
    kinds = operation_kinds(content)
    stored = {place: _tensor_bytes(tensor) for place, tensor in enumerate(graph.tensors)
              if content.buffers[tensor.buffer].data is not None}
    layers = []
    for operation in graph.operators:
        kind, inputs = kinds[operation.opcodeIndex], _given(operation.inputs)
        if inputs and all(place in stored for place in inputs):
            stored |= dict.fromkeys(operation.outputs, sum(stored[place] for place in inputs))
            moved = macs = 0
        else:
            macs = _macs(kind, graph, operation)
            moved = 0 if kind in _VIEWS else sum(
                stored.get(place, _tensor_bytes(graph.tensors[place]))
                for place in {*inputs, *operation.outputs})
        layers.append(Layer(kind, graph.tensors[operation.outputs[0]].name.decode(), macs, moved,
                            bool(macs) and _eight_bit(graph, operation)))
    return layers


def read_model(model: bytes) -> Any:
    """The whole flatbuffer as objects of the schema, with the buffers that a quantizer has put
    behind it."""
    content = schema.ModelT.InitFromPackedBuf(model, 0)
    for buffer in content.buffers:
        if buffer.size:
            buffer.data = np.frombuffer(model, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return content


def operation_kinds(content: Any) -> list[str]:
    """TFLite's name of each of a model's operation codes."""
    return [KINDS[max(code.builtinCode, code.deprecatedBuiltinCode)]
            for code in content.operatorCodes]


def _given(places: Sequence[int]) -> list[int]:
    """-1 stands for an input that was left out, such as a bias."""
    return [int(place) for place in places if place >= 0]


def _shape(graph: Any, place: int) -> tuple[int, ...]:
    shape = graph.tensors[place].shape
    return () if shape is None else tuple(int(side) for side in shape)


def _tensor_bytes(tensor: Any) -> int:
    sides = () if tensor.shape is None else tensor.shape
    return math.ceil(math.prod(int(side) for side in sides) * _BITS[_TYPES[tensor.type]] / 8)


def _macs(kind: str, graph: Any, operation: Any) -> int:
    """By the shapes of what is multiplied; 0 for all that only adds, compares or moves."""
    out = math.prod(_shape(graph, operation.outputs[0]))
    first, second = (_shape(graph, place) for place in [*_given(operation.inputs), -1, -1][:2])
    if kind == "CONV_2D":  # weights [out, height, width, in / groups]
        return out * math.prod(second[1:])
    if kind == "DEPTHWISE_CONV_2D":  # weights [1, height, width, out]
        return out * math.prod(second[1:3])
    if kind == "FULLY_CONNECTED":  # weights [out, in]
        return out * second[-1]
    if kind == "BATCH_MATMUL":
        return out * first[-2 if operation.builtinOptions.adjX else -1]
    return 0


def _eight_bit(graph: Any, operation: Any) -> bool:
    """Dense layers of dynamic recipes quantize their floats before they multiply."""
    second = _TYPES[graph.tensors[operation.inputs[1]].type]
    return second in ("INT8", "UINT8", "INT4")


def one_layer(content: Any, place: int) -> bytes:
    """A model of the one operation at `place` of a model, with its constants; what others put out
    becomes its inputs."""
    graph, operation = content.subgraphs[0], content.subgraphs[0].operators[place]
    places = list(dict.fromkeys([*_given(operation.inputs), *operation.outputs]))
    tensors = [copy.copy(graph.tensors[old]) for old in places]
    buffers = [schema.BufferT()]
    constant = set()
    for tensor in tensors:
        buffer = content.buffers[tensor.buffer]
        if buffer.data is None:
            tensor.buffer = 0
        else:
            constant.add(len(buffers))
            tensor.buffer = len(buffers)
            buffers.append(buffer)
    alone = copy.copy(operation)
    alone.inputs = [places.index(old) if old >= 0 else -1 for old in operation.inputs]
    alone.outputs = [places.index(int(old)) for old in operation.outputs]
    return _write(content.operatorCodes[operation.opcodeIndex], alone, tensors, buffers)


def dense_model(side: int, *, int8: bool) -> bytes:
    """FULLY_CONNECTED of [side, side] with weights [side, side], float32 or int8 throughout."""
    rng = np.random.default_rng(0)
    weights: npt.NDArray[Any] = (rng.integers(-127, 128, (side, side), np.int8) if int8
                                 else rng.standard_normal((side, side), dtype=np.float32))
    kind = schema.TensorType.INT8 if int8 else schema.TensorType.FLOAT32
    tensors = [_tensor(name, (side, side), kind, scale if int8 else None)
               for name, scale in (("input", 0.05), ("weights", 0.01), ("output", 1.0))]
    tensors[1].buffer = 1
    stored = schema.BufferT()
    stored.data = np.frombuffer(weights.tobytes(), np.uint8)
    return _one_operation("FULLY_CONNECTED", 4 if int8 else 1, schema.FullyConnectedOptionsT(),
                          tensors, [schema.BufferT(), stored])


def sum_model(length: int) -> bytes:
    """ADD of two float32 tensors of `length` numbers: next to no work for much to move."""
    tensors = [_tensor(name, (1, length), schema.TensorType.FLOAT32) for name in "abc"]
    return _one_operation("ADD", 1, schema.AddOptionsT(), tensors, [schema.BufferT()])


def _tensor(name: str, shape: tuple[int, ...], kind: int, scale: float | None = None) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type = name.encode(), list(shape), kind
    if scale is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [0]
    return tensor


def _one_operation(
    kind: str, version: int, options: Any, tensors: list[Any], buffers: list[Any]
) -> bytes:
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, kind)
    code.deprecatedBuiltinCode, code.version = code.builtinCode, version
    operation = schema.OperatorT()
    operation.inputs, operation.outputs = list(range(len(tensors) - 1)), [len(tensors) - 1]
    operation.builtinOptions = options
    operation.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
    return _write(code, operation, tensors, buffers)


def _write(code: Any, operation: Any, tensors: list[Any], buffers: list[Any]) -> bytes:
    """A model of one operation; tensors without a stored buffer that it takes are its inputs."""
    graph = schema.SubGraphT()
    graph.tensors = tensors
    graph.inputs = [place for place in dict.fromkeys(_given(operation.inputs))
                    if not tensors[place].buffer]
    graph.outputs = list(operation.outputs)
    only = copy.copy(operation)
    only.opcodeIndex = 0
    graph.operators = [only]
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], buffers
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
