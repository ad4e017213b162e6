"""Weights and inputs drawn from a seed, the same beside PyTorch and beside Keras.

So a reference file holds a network's answers and a seed, never its weights.
"""

from __future__ import annotations

import math

import numpy as np

# A generator's uniform doubles are the part of numpy's streams least likely to ever change;
# `fingerprint` tells such a change from a network that computes something else.


def draw_state(shapes: dict[str, tuple[int, ...]], seed: int) -> dict[str, np.ndarray]:
    """Float32 weights by name, PyTorch's shapes, drawn in the order of the sorted names.

    Signals neither die nor grow: kernels by the number of their inputs, variances and scales about
    one, means and biases small. `num_batches_tracked` is a counter, not a weight: zero.
    """
    generator = np.random.default_rng(seed)
    return {name: _draw(name, shapes[name], generator) for name in sorted(shapes)}


def draw_input(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Float32 of `shape`, even over -1 to 1."""
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def fingerprint(state: dict[str, np.ndarray]) -> float:
    """A number that differs when the weights do."""
    return float(sum(np.abs(state[name], dtype=np.float64).sum() for name in sorted(state)))


def _draw(name: str, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    value = generator.uniform(-1, 1, shape)
    if name.endswith("running_var"):
        value = 1 + 0.5 * value
    elif len(shape) > 1:
        value *= math.sqrt(6 / math.prod(shape[1:]))  # He: Delving deep into rectifiers, 2015
    elif name.endswith("weight"):
        value = 1 + 0.3 * value
    else:
        value *= 0.3
    return value.astype(np.float32)
