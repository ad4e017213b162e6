"""Arrays as JSON holds them."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

DIM = 8  # of embeddings
Array = npt.NDArray[Any]
Case = dict[str, Any]


def unit(rows: Array) -> Array:
    """[..., dim] -> float32 of length 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)


def encoded(array: Array) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def digest(array: Array) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def listed(array: Array | None) -> list[float | None] | None:
    return None if array is None else [None if np.isnan(value) else float(value)
                                       for value in array]
