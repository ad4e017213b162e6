"""What is inside a `.tflite` file: its layers, their multiply-adds and bytes; and files of one
operation, made anew.

Read and written by the schema that ai-edge-litert ships and by flatbuffers, which it installs.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.errors import UsageError

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


def schema() -> Any:
    """The module of the schema. UsageError where it is missing, as with tflite-runtime."""
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError:
        raise UsageError("networks are taken apart by the schema that comes with ai-edge-litert, "
                         "found none; pip install ai-edge-litert") from None
    return schema_py_generated


def read_model(model: bytes) -> Any:
    """The whole flatbuffer as objects of the schema, with the buffers that a quantizer has put
    behind it."""
    content = schema().ModelT.InitFromPackedBuf(model, 0)
    for buffer in content.buffers:
        if buffer.size:
            buffer.data = np.frombuffer(model, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return content


def write_model(content: Any) -> bytes:
    """The objects as a flatbuffer."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(content.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def operation_kinds(content: Any) -> list[str]:
    """TFLite's name of each of a model's operation codes."""
    names = _names("BuiltinOperator")  # the older of the two fields ends at 127
    return [names[max(code.builtinCode, code.deprecatedBuiltinCode)]
            for code in content.operatorCodes]


@functools.cache
def _names(enumeration: str) -> dict[int, str]:
    return {value: name for name, value in vars(getattr(schema(), enumeration)).items()
            if isinstance(value, int)}


def _given(places: Sequence[int]) -> list[int]:
    """-1 stands for an input that was left out, such as a bias."""
    return [int(place) for place in places if place >= 0]


def _shape(graph: Any, place: int) -> tuple[int, ...]:
    shape = graph.tensors[place].shape
    return () if shape is None else tuple(int(side) for side in shape)


def _tensor_bytes(tensor: Any) -> int:
    sides = () if tensor.shape is None else tensor.shape
    bits = _BITS[_names("TensorType")[tensor.type]]
    return math.ceil(math.prod(int(side) for side in sides) * bits / 8)


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
    second = _names("TensorType")[graph.tensors[operation.inputs[1]].type]
    return second in ("INT8", "UINT8", "INT4")


def dense_model(side: int, *, int8: bool) -> bytes:
    """FULLY_CONNECTED of [side, side] with weights [side, side], float32 or int8 throughout."""
    rng = np.random.default_rng(0)
    weights: npt.NDArray[Any] = (rng.integers(-127, 128, (side, side), np.int8) if int8
                                 else rng.standard_normal((side, side), dtype=np.float32))
    kind = "INT8" if int8 else "FLOAT32"
    tensors = [_tensor(name, (side, side), kind, scale if int8 else None)
               for name, scale in (("input", 0.05), ("weights", 0.01), ("output", 1.0))]
    tensors[1].buffer = 1
    stored = schema().BufferT()
    stored.data = np.frombuffer(weights.tobytes(), np.uint8)
    return _one_operation("FULLY_CONNECTED", 4 if int8 else 1, schema().FullyConnectedOptionsT(),
                          tensors, [schema().BufferT(), stored])


def sum_model(length: int) -> bytes:
    """ADD of two float32 tensors of `length` numbers: next to no work for much to move."""
    tensors = [_tensor(name, (1, length), "FLOAT32") for name in "abc"]
    return _one_operation("ADD", 1, schema().AddOptionsT(), tensors, [schema().BufferT()])


def _tensor(name: str, shape: tuple[int, ...], kind: str, scale: float | None = None) -> Any:
    tensor = schema().TensorT()
    tensor.name, tensor.shape = name.encode(), list(shape)
    tensor.type = getattr(schema().TensorType, kind)
    if scale is not None:
        tensor.quantization = schema().QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [0]
    return tensor


def _one_operation(
    kind: str, version: int, options: Any, tensors: list[Any], buffers: list[Any]
) -> bytes:
    """The last tensor is its output; those without a stored buffer are its inputs."""
    code, operation = schema().OperatorCodeT(), schema().OperatorT()
    code.builtinCode = getattr(schema().BuiltinOperator, kind)
    code.deprecatedBuiltinCode, code.version = code.builtinCode, version
    operation.inputs, operation.outputs = list(range(len(tensors) - 1)), [len(tensors) - 1]
    operation.builtinOptions = options
    operation.builtinOptionsType = getattr(schema().BuiltinOptions, type(options).__name__[:-1])
    graph, model = schema().SubGraphT(), schema().ModelT()
    graph.tensors, graph.operators = tensors, [operation]
    graph.inputs = [place for place in operation.inputs if not tensors[place].buffer]
    graph.outputs = operation.outputs
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], buffers
    return write_model(model)
