"""What a trained network computes, with fewer operations: weights that take in what is around them.

    scale and shift of a layer norm         go into the dense layer or convolution after it
    the mean that a layer norm subtracts    is taken out of all that is added to the residual
                                            stream; it is 0 there then, with nothing to subtract
    the scale of the keys                   goes into the queries': only their product counts
    the factor 1 / sqrt(head) of attention  goes into the queries' scale or weights
    a batch norm                            goes into the convolution before it

All this is exact but for rounding, which convert.check.parity asserts on real inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import KerasTensor, layers, ops

Weights = dict[str, list[npt.NDArray[np.float32]]]

# By the end of their names: a norm, and the one layer that reads it.
READERS = {"_norm1": ("_qkv",), "_norm2": ("_mlp1", "_mlp0"), "_token_norm": ("_narrow_conv",)}
# What is added to a residual stream: attention, the feed-forward network, and how it begins.
WRITERS = ("_projection", "_mlp2", "_output", "_widen", "patch_embedding", "position")
QUERY, KEY, FACTOR = "_query_norm", "_key_norm", "_query_scale"
CONVOLUTION, BATCH_NORM = "_conv", "_norm"


class RootMeanSquareNorm(layers.Layer):
    """Layer normalisation of what has mean 0 already: [..., dim] -> [..., dim]."""

    def __init__(self, epsilon: float, name: str) -> None:
        super().__init__(name=name)
        self.epsilon = epsilon

    def call(self, x: KerasTensor) -> KerasTensor:
        power = ops.mean(ops.square(x), axis=-1, keepdims=True)
        return x * ops.rsqrt(power + self.epsilon)


def fold(network: keras.Model) -> keras.Model:
    """The same function in fewer operations; the given network is left as it is."""
    known = {layer.name: layer for layer in network.layers}
    before: Weights = {name: layer.get_weights() for name, layer in known.items()
                       if not isinstance(layer, keras.Model)}
    after, readers = {name: list(weights) for name, weights in before.items()}, {}
    for name in before:
        if reader := _reader(name, known):
            readers[name] = reader
            _take_in_affine(after, name, reader)
    centred = bool(readers) and all(_can_be_centred(layer) for layer in known.values()
                                    if layer.name.endswith(WRITERS))
    if centred:
        for name in before:
            if name.endswith(WRITERS):
                after[name] = [weight - weight.mean(axis=-1, keepdims=True)
                               for weight in after[name]]
    for name in before:
        if name.endswith(KEY):
            query = name.removesuffix(KEY) + QUERY
            after[query] = [after[query][0] * after.pop(name)[0]]
        elif name.endswith(FACTOR):
            _take_in_factor(after, name.removesuffix(FACTOR), known[name].scale)
    batch_norms = {name: norm for name in before if (norm := _batch_norm_after(name, known))}
    for convolution, norm in batch_norms.items():
        _take_in_batch_norm(after, convolution, norm, known[norm].epsilon)

    def change(layer: layers.Layer) -> layers.Layer:
        if isinstance(layer, keras.Model):
            return fold(layer)
        if layer.name.endswith(FACTOR) or layer.name in batch_norms.values():
            return layers.Identity(name=layer.name)
        if layer.name in batch_norms:
            return layer.__class__.from_config(layer.get_config() | {"use_bias": True})
        if layer.name.endswith(KEY):
            return RootMeanSquareNorm(layer.epsilon, layer.name)
        if layer.name in readers:
            return (RootMeanSquareNorm(layer.epsilon, layer.name) if centred else
                    layers.LayerNormalization(epsilon=layer.epsilon, center=False, scale=False,
                                              name=layer.name))
        if layer.name not in before or _same(before[layer.name], after[layer.name]):
            return layer
        return layer.__class__.from_config(layer.get_config())

    folded = keras.models.clone_model(network, clone_function=change, call_function=_call)
    for layer in folded.layers:
        if layer.weights and layer.name in before and layer is not known[layer.name]:
            layer.set_weights(after[layer.name])
    return folded


def _call(layer: layers.Layer, *inputs: Any, mask: None = None, **options: Any) -> Any:
    """Batch norms are called with a mask, what takes their places knows none."""
    return layer(*inputs, **options)


def _reader(name: str, known: Mapping[str, layers.Layer]) -> str | None:
    """The layer that a layer norm's scale and shift go into."""
    for norm, ends in READERS.items():
        if name.endswith(norm) and isinstance(known[name], layers.LayerNormalization):
            stem = name.removesuffix(norm)
            return next((stem + end for end in ends if stem + end in known), None)
    return None


def _take_in_affine(weights: Weights, norm: str, reader: str) -> None:
    scale, shift = weights[norm]
    kernel, *bias = weights[reader]
    offset = shift @ kernel.reshape(-1, kernel.shape[-1])  # of a dense layer or a 1x1 convolution
    weights[reader] = [kernel * scale[:, np.newaxis]]
    if bias:
        weights[reader].append(bias[0] + offset)
    else:  # the batch norm after a convolution subtracts a mean anyway
        after = reader.removesuffix("_conv") + "_norm"
        gamma, beta, mean, variance = weights[after]
        weights[after] = [gamma, beta, mean - offset, variance]


def _take_in_factor(weights: Weights, attention: str, factor: float) -> None:
    for name in (attention + QUERY, attention + "_query"):
        if name in weights:
            weights[name] = [weight * factor for weight in weights[name]]
            return
    kernel, bias = weights[attention + "_qkv"]
    factors = np.repeat(np.array([factor, 1, 1], np.float32), len(bias) // 3)
    weights[attention + "_qkv"] = [kernel * factors, bias * factors]


def _batch_norm_after(name: str, known: Mapping[str, layers.Layer]) -> str | None:
    """The batch norm that goes into a convolution."""
    norm = name.removesuffix(CONVOLUTION) + BATCH_NORM
    found = name.endswith(CONVOLUTION) and isinstance(known.get(norm), layers.BatchNormalization)
    return norm if found else None


def _take_in_batch_norm(
    weights: Weights, convolution: str, norm: str, epsilon: float
) -> None:
    kernel, *bias = weights[convolution]
    gamma, beta, mean, variance = weights.pop(norm)
    scale = gamma / np.sqrt(variance + epsilon)
    shift = beta + ((bias[0] if bias else 0) - mean) * scale
    # One column for each feature: the last axis, or of a depthwise kernel the last but one.
    columns = scale[:, np.newaxis] if kernel.shape[-1] == 1 else scale
    weights[convolution] = [kernel * columns, shift]


def _can_be_centred(layer: layers.Layer) -> bool:
    """Linear in its weights, which end with the features."""
    activation = getattr(layer, "activation", keras.activations.linear)
    return bool(activation is keras.activations.linear)


def _same(some: list[Any], others: list[Any]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(some, others, strict=True))
