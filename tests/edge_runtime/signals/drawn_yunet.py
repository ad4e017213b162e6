"""An ONNX file with YuNet's inputs and outputs that takes blue squares for faces.

Written by hand, since the test needs neither the onnx package nor anybody's weights: each stride
of 8, 16 and 32 averages the picture over its cells; cells of 32 score by how blue they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

STRIDE = 32  # pixels of a cell that can be a face


def _number(value: int) -> bytes:
    """A protobuf varint."""
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def _field(key: int, content: bytes | str | int) -> bytes:
    if isinstance(content, int):
        return _number(key << 3) + _number(content & 2**64 - 1)
    data = content.encode() if isinstance(content, str) else content
    return _number(key << 3 | 2) + _number(len(data)) + data


def _ints(name: str, values: Sequence[int]) -> bytes:
    content = _field(1, name) + b"".join(_field(8, value) for value in values) + _field(20, 7)
    return _field(5, content)


def _node(kind: str, inputs: Sequence[str], output: str, attributes: bytes = b"") -> bytes:
    content = b"".join(_field(1, name) for name in inputs) + _field(2, output)
    return _field(1, content + _field(3, output) + _field(4, kind) + attributes)


def _tensor(name: str, array: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> bytes:
    kind = 1 if array.dtype == np.float32 else 7
    return _field(5, b"".join(_field(1, size) for size in array.shape) + _field(2, kind)
                  + _field(8, name) + _field(9, array.tobytes()))


def _value(key: int, name: str, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(_field(1, _field(1 if isinstance(size, int) else 2, size)) for size in shape)
    tensor = _field(1, _field(1, 1) + _field(2, dims))
    return _field(key, _field(1, name) + _field(2, tensor))


def drawn_yunet() -> bytes:
    """The content of the file."""
    graph = _field(2, "drawn") + _value(11, "input", (1, 3, "height", "width"))
    for stride in (8, 16, 32):
        size = [stride, stride]
        graph += _node("AveragePool", ["input"], f"cells_{stride}",
                       _ints("kernel_shape", size) + _ints("strides", size))
        for part, channels in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            name = f"{part}_{stride}"
            weights = np.zeros((channels, 3, 1, 1), np.float32)
            if channels == 1 and stride == STRIDE:
                weights[0, 0] = 1 / 255  # OpenCV's first channel is blue
            bias = np.full(channels, 0.0, np.float32)
            if part == "bbox":
                bias[:2] = 0.5  # the middle of the cell; e**0 cells wide and high
            graph += _tensor(f"{name}_weights", weights) + _tensor(f"{name}_bias", bias)
            graph += _tensor(f"{name}_shape", np.array([1, -1, channels], np.int64))
            graph += _node("Conv", [f"cells_{stride}", f"{name}_weights", f"{name}_bias"],
                           f"{name}_map", _ints("kernel_shape", [1, 1]))
            graph += _node("Transpose", [f"{name}_map"], f"{name}_rows",
                           _ints("perm", [0, 2, 3, 1]))
            graph += _node("Reshape", [f"{name}_rows", f"{name}_shape"], name)
            graph += _value(12, name, (1, "cells", channels))
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 13))
