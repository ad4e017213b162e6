"""Blocks that several families use, as functions from a tensor to a tensor."""

from __future__ import annotations

from keras import KerasTensor, layers, ops


def attention(tokens: KerasTensor, num_heads: int, name: str) -> KerasTensor:
    """Multi-head self-attention with one product for queries, keys and values.

    tokens: [sequences, length, dim]; the result has the same shape. Vaswani et al., Attention is
    all you need, 2017, section 3.2, written out so that it converts to three plain products.
    """
    length, dim = tokens.shape[1:]
    head_dim = dim // num_heads
    qkv = layers.Dense(3 * dim, name=f"{name}_qkv")(tokens)
    query, key, value = ops.split(qkv, 3, axis=-1)
    query = query * head_dim**-0.5
    if num_heads > 1:
        query, key, value = (_split_heads(t, num_heads) for t in (query, key, value))
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


def l2_normalised(features: KerasTensor) -> KerasTensor:
    """[batch, dim] -> [batch, dim] of length 1."""
    return features * ops.rsqrt(ops.sum(ops.square(features), axis=-1, keepdims=True) + 1e-12)
