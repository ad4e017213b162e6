"""Networks of stock Keras layers, converted as a tutorial would.

    python -m benchmarks.peers.stock OUT IMAGE_SIZE

Three networks, untrained: no operation's time depends on its weights. The first two are
MobileViT-XXS.

    textbook   as public tutorials describe it: unfold is a bare reshape, Keras's MultiHeadAttention
               attends on the 4-D tensor; converted to float32, and with dynamic range
    naive      the paper's network (whole 2x2 patches, four heads) of stock MultiHeadAttention and
               LayerNormalization with SiLU; converted to float32, and to int8 throughout
    mobilenetv3_small   of keras.applications, at its 224 pixels whatever IMAGE_SIZE; to float32
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

CLASSES = 95
STAGES = ((48, 64, 2), (64, 80, 4), (80, 96, 3))  # channels, width and depth of each transformer


def main() -> None:
    out, image_size = Path(sys.argv[1]), int(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    textbook, naive = (stock_mobilevit(image_size, whole_patches=whole)
                       for whole in (False, True))
    mobilenet = keras.applications.MobileNetV3Small((224, 224, 3), weights=None)
    for name, network, second, options in (
            ("textbook", textbook, "dynamic", {"dynamic": True}),
            ("naive", naive, "int8", {"int8": True}),
            ("mobilenetv3_small", mobilenet, None, {})):
        with tempfile.TemporaryDirectory() as folder:
            save(network, folder)
            _write(out / f"{name}_float32.tflite", convert(network, folder))
            if second:
                _write(out / f"{name}_{second}.tflite", convert(network, folder, **options))


def _write(path: Path, model: bytes) -> None:
    partial = path.with_suffix(".partial")  # what is cut short would be taken for whole next time
    partial.write_bytes(model)
    partial.replace(path)


def stock_mobilevit(image_size: int, *, whole_patches: bool) -> keras.Model:
    """Widths after the paper's appendix, table 4."""
    image = layers.Input((image_size, image_size, 3))
    x = _conv(layers.Rescaling(1 / 255)(image), 16, 3, strides=2)
    x = _inverted_residual(x, 16, strides=1)
    x = _inverted_residual(x, 24, strides=2)
    x = _inverted_residual(x, 24, strides=1)
    x = _inverted_residual(x, 24, strides=1)
    for channels, width, depth in STAGES:
        x = _inverted_residual(x, channels, strides=2)
        x = _block(x, width, depth, whole_patches)
    x = layers.GlobalAveragePooling2D()(_conv(x, 320, 1))
    return keras.Model(image, layers.Dense(CLASSES, "softmax")(x))


def save(network: keras.Model, folder: str) -> None:
    """As a SavedModel for one picture at a time. Keras's own export saves every layer, and takes
    twice as long to write and longer to convert, to the same models."""
    specs = [tf.TensorSpec((1, *network.input_shape[1:]), tf.float32)]
    module = tf.Module()
    module.held = [variable.value for variable in network.variables]
    module.serve = tf.function(network.call, input_signature=specs, autograph=False)
    tf.saved_model.save(module, folder, signatures={"serve": module.serve})


def convert(
    network: keras.Model, folder: str, *, dynamic: bool = False, int8: bool = False
) -> bytes:
    """The SavedModel in `folder` by TFLite's own converter, with its own defaults."""
    rng = np.random.default_rng(0)

    def samples() -> Iterator[list[Any]]:
        for _ in range(16):
            yield [rng.uniform(0, 255, (1, *network.input_shape[1:])).astype(np.float32)]

    converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serve"])
    if dynamic or int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if int8:
        converter.representative_dataset = samples
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return bytes(converter.convert())


def _conv(x: Any, channels: int, kernel: int, strides: int = 1) -> Any:
    x = layers.Conv2D(channels, kernel, strides, padding="same", use_bias=False)(x)
    return layers.Activation("silu")(layers.BatchNormalization()(x))


def _inverted_residual(x: Any, channels: int, strides: int) -> Any:
    y = _conv(x, 2 * x.shape[-1], 1)
    y = layers.DepthwiseConv2D(3, strides, padding="same", use_bias=False)(y)
    y = layers.Activation("silu")(layers.BatchNormalization()(y))
    y = layers.BatchNormalization()(layers.Conv2D(channels, 1, use_bias=False)(y))
    return layers.Add()([x, y]) if strides == 1 and x.shape[-1] == channels else y


def _block(x: Any, width: int, depth: int, whole_patches: bool) -> Any:
    height, columns, channels = x.shape[1:]
    tokens = layers.Conv2D(width, 1, use_bias=False)(_conv(x, channels, 3))
    # Whole patches: pixels at the same place of each 2x2 patch make one sequence.
    if whole_patches:
        tokens = ops.reshape(tokens, (-1, height // 2, 2, columns // 2, 2, width))
        tokens = ops.reshape(ops.transpose(tokens, (0, 2, 4, 1, 3, 5)),
                             (-1, height * columns // 4, width))
    else:
        tokens = layers.Reshape((4, height * columns // 4, width))(tokens)
    for _ in range(depth):
        tokens = _transformer(tokens, width, whole_patches)
    tokens = layers.LayerNormalization()(tokens)
    if whole_patches:
        tokens = ops.reshape(tokens, (-1, 2, 2, height // 2, columns // 2, width))
        tokens = ops.transpose(tokens, (0, 3, 1, 4, 2, 5))
    tokens = ops.reshape(tokens, (-1, height, columns, width))
    joined = layers.Concatenate()([x, _conv(tokens, channels, 1)])
    return _conv(joined, channels, 3)


def _transformer(tokens: Any, width: int, whole_patches: bool) -> Any:
    heads, key_dim = (4, width // 4) if whole_patches else (2, width)
    y = layers.LayerNormalization()(tokens)
    tokens = layers.Add()([tokens, layers.MultiHeadAttention(heads, key_dim)(y, y)])
    y = layers.Dense(2 * width, "silu")(layers.LayerNormalization()(tokens))
    return layers.Add()([tokens, layers.Dense(width)(y)])


if __name__ == "__main__":
    main()
