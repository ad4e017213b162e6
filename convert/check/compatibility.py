"""Which interpreters compute a model rightly, by the versions of its operations and its tensors.

tflite-runtime 2.14 is the last that runs on 32-bit Raspberry Pis. It loads int8 dense layers with a
scale for each channel, takes them for ones with a single scale, and gives wrong scores without a
word: such files are not for it.
"""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from benchmarks.cost.graph import operation_kinds
from edge_runtime.bundle.networks import LITERT, TFLITE_RUNTIME

# The newest version of each operation that tflite-runtime 2.14 loads, found by trying. What is not
# listed was not tried, and is not claimed to run.
NEWEST_IN_2_14 = {
    "ADD": 5, "BATCH_MATMUL": 4, "CONCATENATION": 4, "CONV_2D": 7, "DEPTHWISE_CONV_2D": 7,
    "DEQUANTIZE": 5, "FULLY_CONNECTED": 10, "L2_NORMALIZATION": 2, "LOG": 1, "MAXIMUM": 4,
    "MEAN": 3, "MUL": 7, "QUANTIZE": 3, "RESHAPE": 1, "RSQRT": 2, "SOFTMAX": 3, "SPLIT": 4,
    "SQUARE": 1, "SQUARED_DIFFERENCE": 2, "STRIDED_SLICE": 8, "SUB": 5, "TRANSPOSE": 6}


def interpreters_for(model: bytes) -> list[str]:
    """By the names of their packages."""
    return [LITERT, TFLITE_RUNTIME] if _fits_2_14(model) else [LITERT]


def _fits_2_14(model: bytes) -> bool:
    graph = schema.ModelT.InitFromPackedBuf(model, 0)
    kinds = operation_kinds(graph)
    if any(code.version > NEWEST_IN_2_14.get(kind, 0)
           for code, kind in zip(graph.operatorCodes, kinds, strict=True)):
        return False
    for subgraph in graph.subgraphs:
        if any(tensor.type in (schema.TensorType.INT4, schema.TensorType.INT16)
               for tensor in subgraph.tensors):
            return False
        for op in subgraph.operators:
            weight = subgraph.tensors[op.inputs[1]] if len(op.inputs) > 1 else None
            if kinds[op.opcodeIndex] == "FULLY_CONNECTED" and weight and weight.quantization:
                scale = weight.quantization.scale
                if scale is not None and len(scale) > 1:
                    return False
    return True
