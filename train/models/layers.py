"""Blocks that several families use, as functions from a tensor to a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import KerasTensor, initializers, layers, ops


def attention(
    tokens: KerasTensor, num_heads: int, name: str, normalise: bool = False
) -> KerasTensor:
    """Multi-head self-attention with one product for queries, keys and values.

    tokens: [sequences, length, dim]; the result has the same shape. Vaswani et al., Attention is
    all you need, 2017, section 3.2, written out so that it converts to three plain products.

    normalise: queries and keys, as Dehghani et al., 2023 (arXiv 2302.05442), section 2. Without it
    the logits of a trained network reach hundreds; then rounding decides which token is attended.
    """
    qkv = layers.Dense(3 * tokens.shape[-1], name=f"{name}_qkv")(tokens)
    query, key, value = ops.split(qkv, 3, axis=-1)
    return _attend(query, key, value, num_heads, name, normalise)


def cross_attention(
    queries: KerasTensor, keys_values: KerasTensor, num_heads: int, name: str
) -> KerasTensor:
    """Multi-head attention of one sequence to another: the encoder-decoder attention of Vaswani et
    al., 2017, section 3.2.3.

    queries: [sequences, length, dim], keys_values: [sequences, other length, other dim]; the result
    has the shape of the queries.
    """
    dim = queries.shape[-1]
    query = layers.Dense(dim, name=f"{name}_query")(queries)
    key_value = layers.Dense(2 * dim, name=f"{name}_key_value")(keys_values)
    key, value = ops.split(key_value, 2, axis=-1)
    return _attend(query, key, value, num_heads, name)


def _attend(
    query: KerasTensor, key: KerasTensor, value: KerasTensor, num_heads: int, name: str,
    normalise: bool = False,
) -> KerasTensor:
    """query [sequences, length, dim], key and value [sequences, other length, dim] -> as query."""
    length, dim = query.shape[1:]
    if num_heads > 1:
        query, key, value = (_split_heads(t, num_heads) for t in (query, key, value))
    if normalise:
        query = layers.RMSNormalization(name=f"{name}_query_norm")(query)
        key = layers.RMSNormalization(name=f"{name}_key_norm")(key)
    query = layers.Rescaling((dim // num_heads)**-0.5, name=f"{name}_query_scale")(query)
    weights = ops.softmax(ops.matmul(query, ops.swapaxes(key, -1, -2)))
    mixed = ops.matmul(weights, value)
    if num_heads > 1:
        # [sequences, heads, length, head_dim] --> [sequences, length, dim]
        mixed = ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), (-1, length, dim))
    return layers.Dense(dim, name=f"{name}_projection")(mixed)


def _split_heads(tokens: KerasTensor, num_heads: int) -> KerasTensor:
    # [sequences, length, dim] --> [sequences, heads, length, head_dim]
    length, dim = tokens.shape[1:]
    split = ops.reshape(tokens, (-1, length, num_heads, dim // num_heads))
    return ops.transpose(split, (0, 2, 1, 3))


def mlp(
    features: KerasTensor, widths: Sequence[int], activation: str, dropout: float, name: str
) -> KerasTensor:
    """Dense layers, each activated and followed by dropout: [..., dim] -> [..., widths[-1]]."""
    for i, width in enumerate(widths):
        features = layers.Dense(width, activation, name=f"{name}{i}")(features)
        features = layers.Dropout(dropout, name=f"{name}{i}_dropout")(features)
    return features


def unit_columns(shape: Sequence[int], dtype: Any = None) -> Any:
    """Starts a kernel [dim, units] with columns of length 1 that point anywhere."""
    return ops.normalize(initializers.RandomNormal(stddev=1.0)(shape, dtype), axis=0)


def l2_normalised(features: KerasTensor) -> KerasTensor:
    """[batch, dim] -> [batch, dim] of length 1."""
    return features * inverse_length(features)


def inverse_length(features: KerasTensor) -> KerasTensor:
    """[batch, dim] -> [batch, 1], finite where the length is 0."""
    return ops.rsqrt(ops.sum(ops.square(features), axis=-1, keepdims=True) + 1e-12)
