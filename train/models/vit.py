"""ViT: Dosovitskiy et al., An Image is Worth 16x16 Words, 2020 (arXiv 2010.11929), section 3.1.

Features are the mean over the tokens and not a class token: it is as good (appendix D.3; Beyer et
al., Better plain ViT baselines, 2022, arXiv 2205.01580), and the sequence gets no odd token.

With `shifted`, shifted patch tokenisation: Lee, Lee and Song, Vision Transformer for Small-Size
Datasets, 2021 (arXiv 2112.13492), section 3.2: each patch also sees half of its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import KerasTensor, layers, ops

from train.models.layers import attention, mlp

DROPOUT = 0.1  # of the paper's own small trainings (table 3)
EPSILON = 1e-6


@dataclass(frozen=True)
class Size:
    """Widths of one network; patches are patch_size x patch_size pixels."""

    embed_dim: int
    depth: int
    num_heads: int
    mlp_ratio: int = 4
    patch_size: int = 16


# Chosen for the source experiment's totals at 95 people: two networks 51.8M; one network of two
# towers and cross-attention 30M.
PAIR = Size(embed_dim=512, depth=8, num_heads=8)
TOWER = Size(embed_dim=384, depth=7, num_heads=6)


def vit(image: KerasTensor, size: Size, shifted: bool = False) -> KerasTensor:
    """[batch, height, width, channels], sides multiples of the patch -> [batch, embed_dim]."""
    return layers.GlobalAveragePooling1D(name="pool")(vit_tokens(image, size, shifted))


def vit_tokens(image: KerasTensor, size: Size, shifted: bool = False) -> KerasTensor:
    """[batch, height, width, channels] -> normalised tokens [batch, patches, embed_dim]."""
    if shifted:
        tokens = patches(shifted_copies(image, size.patch_size // 2), size.patch_size)
        tokens = layers.LayerNormalization(epsilon=EPSILON, name="patch_norm")(tokens)
    else:
        tokens = patches(image, size.patch_size)
    tokens = layers.Dense(size.embed_dim, name="patch_embedding")(tokens)
    tokens = PositionEmbedding(name="position")(tokens)
    tokens = layers.Dropout(DROPOUT, name="position_dropout")(tokens)
    for i in range(size.depth):
        tokens = _block(tokens, size, name=f"block{i}")
    return layers.LayerNormalization(epsilon=EPSILON, name="norm")(tokens)


def patches(image: KerasTensor, patch_size: int) -> KerasTensor:
    """[batch, height, width, channels] -> [batch, patches, patch_size * patch_size * channels]."""
    height, width, channels = image.shape[1:]
    rows, columns = height // patch_size, width // patch_size
    x = ops.reshape(image, (-1, rows, patch_size, columns, patch_size * channels))
    # [batch, rows, y, columns, x * channels] --> [batch, rows, columns, y, x * channels]
    x = ops.transpose(x, (0, 1, 3, 2, 4))
    return ops.reshape(x, (-1, rows * columns, patch_size * patch_size * channels))


def shifted_copies(image: KerasTensor, distance: int) -> KerasTensor:
    """The image and its four copies moved along the diagonals, zeros moving in.

    [batch, height, width, channels] -> [batch, height, width, 5 * channels]
    """
    height, width = image.shape[1:3]
    around = (distance, distance)
    padded = ops.pad(image, ((0, 0), around, around, (0, 0)))
    copies = [padded[:, y : y + height, x : x + width]
              for y in (0, 2 * distance) for x in (0, 2 * distance)]
    return ops.concatenate([image, *copies], axis=-1)


class PositionEmbedding(keras.layers.Layer):
    """Adds a learned vector to each token: [batch, length, dim] -> the same."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.table = self.add_weight(
            shape=input_shape[1:], name="table",
            initializer=keras.initializers.TruncatedNormal(stddev=0.02))

    def call(self, tokens: KerasTensor) -> KerasTensor:
        return tokens + self.table


def _block(tokens: KerasTensor, size: Size, name: str) -> KerasTensor:
    """Attention, then a feed-forward network, each on normalised tokens: figure 1, right."""
    y = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm1")(tokens)
    y = attention(y, size.num_heads, name)
    tokens = tokens + layers.Dropout(DROPOUT, name=f"{name}_dropout1")(y)
    y = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm2")(tokens)
    y = mlp(y, [size.mlp_ratio * size.embed_dim], "gelu", DROPOUT, name=f"{name}_mlp")
    y = layers.Dense(size.embed_dim, name=f"{name}_output")(y)
    return tokens + layers.Dropout(DROPOUT, name=f"{name}_dropout2")(y)
