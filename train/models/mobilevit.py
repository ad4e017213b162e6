"""MobileViT: Mehta and Rastegari, MobileViT: Light-weight, General-purpose, and Mobile-friendly
Vision Transformer, ICLR 2022 (arXiv 2110.02178), figure 1 and appendix, table 4.

`PAPER` is the network of the paper. `EDGE` has the same shape made for the device: ReLU6 bounds
the ranges that int8 has to cover and fuses into the convolution before it, one head spares the
transposes between heads, and normalised queries and keys bound the logits of attention. Scale and
shift of each layer norm fold into the dense layer after it. Batch norm in the transformer would
fold away as a whole, but learned slower where both were tried.
"""

from __future__ import annotations

from dataclasses import dataclass

from keras import KerasTensor, layers, ops

from train.models.layers import attention

PATCH = 2  # pixels, both ways
DEPTHS = (2, 4, 3)  # of the three transformers, in every variant
MLP_RATIO = 2


@dataclass(frozen=True)
class Size:
    """Widths of one variant: stem, five stages, the three transformers, last convolution."""

    stem: int
    stages: tuple[int, int, int, int, int]
    dims: tuple[int, int, int]
    last: int
    expansion: int


@dataclass(frozen=True)
class Style:
    """What differs between the paper's network and the one made for the device."""

    activation: str
    num_heads: int
    symmetric_padding: bool  # PyTorch's for stride 2; TensorFlow's own needs no PAD operation
    epsilon: float  # of the norms
    qk_norm: bool  # normalise queries and keys


XXS = Size(16, (16, 24, 48, 64, 80), (64, 80, 96), 320, 2)
XS = Size(16, (32, 48, 64, 80, 96), (96, 120, 144), 384, 4)
S = Size(16, (32, 64, 96, 128, 160), (144, 192, 240), 640, 4)

PAPER = Style("silu", 4, symmetric_padding=True, epsilon=1e-5, qk_norm=False)
EDGE = Style("relu6", 1, symmetric_padding=False, epsilon=1e-3, qk_norm=True)


def mobilevit(image: KerasTensor, size: Size, style: Style) -> KerasTensor:
    """[batch, height, width, channels] -> features [batch, size.last].

    Height and width are multiples of 64, so that the last stage still has whole 2x2 patches.
    """
    one, two, three, four, five = size.stages
    x = _conv(image, size.stem, style, kernel=3, stride=2, name="stem")
    x = _inverted_residual(x, one, size, style, stride=1, name="stage1")
    x = _inverted_residual(x, two, size, style, stride=2, name="stage2_0")
    x = _inverted_residual(x, two, size, style, stride=1, name="stage2_1")
    x = _inverted_residual(x, two, size, style, stride=1, name="stage2_2")
    for stage, channels, dim, depth in zip((3, 4, 5), (three, four, five), size.dims, DEPTHS,
                                           strict=True):
        x = _inverted_residual(x, channels, size, style, stride=2, name=f"stage{stage}_down")
        x = _mobilevit_block(x, dim, depth, style, name=f"stage{stage}")
    x = _conv(x, size.last, style, kernel=1, stride=1, name="last")
    return layers.GlobalAveragePooling2D(name="pool")(x)


def _batch_norm(name: str, epsilon: float) -> layers.Layer:
    # Keras's momentum of 0.99 lags behind in short trainings.
    return layers.BatchNormalization(momentum=0.9, epsilon=epsilon, name=name)


def _layer_norm(tokens: KerasTensor, style: Style, name: str) -> KerasTensor:
    return layers.LayerNormalization(epsilon=style.epsilon, name=name)(tokens)


def _conv(
    x: KerasTensor, channels: int, style: Style, *, kernel: int, stride: int, name: str,
    depthwise: bool = False, activate: bool = True,
) -> KerasTensor:
    """Convolution without bias, batch norm, activation."""
    padding = "same"
    if stride == 2 and style.symmetric_padding:
        x, padding = layers.ZeroPadding2D(1, name=f"{name}_pad")(x), "valid"
    if depthwise:
        x = layers.DepthwiseConv2D(kernel, stride, padding, use_bias=False, name=f"{name}_conv")(x)
    else:
        x = layers.Conv2D(channels, kernel, stride, padding, use_bias=False, name=f"{name}_conv")(x)
    x = _batch_norm(f"{name}_norm", style.epsilon)(x)
    return layers.Activation(style.activation, name=f"{name}_activation")(x) if activate else x


def _inverted_residual(
    x: KerasTensor, channels: int, size: Size, style: Style, *, stride: int, name: str
) -> KerasTensor:
    """MobileNetV2's block: Sandler et al., 2018 (arXiv 1801.04381), figure 3."""
    inner = x.shape[-1] * size.expansion
    y = _conv(x, inner, style, kernel=1, stride=1, name=f"{name}_expand")
    y = _conv(y, inner, style, kernel=3, stride=stride, depthwise=True, name=f"{name}_depthwise")
    y = _conv(y, channels, style, kernel=1, stride=1, activate=False, name=f"{name}_reduce")
    return layers.Add(name=f"{name}_add")([x, y]) if stride == 1 and x.shape[-1] == channels else y


def _mobilevit_block(x: KerasTensor, dim: int, depth: int, style: Style, name: str) -> KerasTensor:
    """Convolutions for what is near, attention between patches for what is far: figure 1b."""
    channels = x.shape[-1]
    height, width = x.shape[1:3]
    y = _conv(x, channels, style, kernel=3, stride=1, name=f"{name}_near")
    y = layers.Conv2D(dim, 1, use_bias=False, name=f"{name}_widen")(y)
    tokens = _unfold(y)
    for i in range(depth):
        tokens = _transformer(tokens, style, name=f"{name}_transformer{i}")
    tokens = _layer_norm(tokens, style, f"{name}_token_norm")
    y = _fold(tokens, height, width)
    y = _conv(y, channels, style, kernel=1, stride=1, name=f"{name}_narrow")
    y = layers.Concatenate(name=f"{name}_concat")([x, y])
    return _conv(y, channels, style, kernel=3, stride=1, name=f"{name}_merge")


def _transformer(tokens: KerasTensor, style: Style, name: str) -> KerasTensor:
    dim = tokens.shape[-1]
    y = _layer_norm(tokens, style, f"{name}_norm1")
    tokens = tokens + attention(y, style.num_heads, name, style.qk_norm)
    y = _layer_norm(tokens, style, f"{name}_norm2")
    y = layers.Dense(MLP_RATIO * dim, style.activation, name=f"{name}_mlp1")(y)
    return tokens + layers.Dense(dim, name=f"{name}_mlp2")(y)


def _unfold(x: KerasTensor) -> KerasTensor:
    """Pixels at the same place of each patch make one sequence.

    [batch, height, width, dim] -> [batch * PATCH * PATCH, patches, dim]
    """
    height, width, dim = x.shape[1:]
    rows, columns = height // PATCH, width // PATCH
    x = ops.reshape(x, (-1, rows, PATCH, columns, PATCH, dim))
    # [batch, rows, y, columns, x, dim] --> [batch, y, x, rows, columns, dim]
    x = ops.transpose(x, (0, 2, 4, 1, 3, 5))
    return ops.reshape(x, (-1, rows * columns, dim))


def _fold(tokens: KerasTensor, height: int, width: int) -> KerasTensor:
    """The inverse of `_unfold`."""
    dim = tokens.shape[-1]
    rows, columns = height // PATCH, width // PATCH
    x = ops.reshape(tokens, (-1, PATCH, PATCH, rows, columns, dim))
    # [batch, y, x, rows, columns, dim] --> [batch, rows, y, columns, x, dim]
    x = ops.transpose(x, (0, 3, 1, 4, 2, 5))
    return ops.reshape(x, (-1, height, width, dim))
