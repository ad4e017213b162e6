"""A process of its own for TensorFlow Model Optimization: each technique on a small network.

    tiny_tuning.py FOLDER NAME...    writes NAME.tflite of each, and the network's own answers
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

from convert.graph.fold import fold
from convert.quantize import tuning
from train.models.layers import attention, l2_normalised
from train.training.examples import Batches

SIZE, STEPS = 16, 64


def network() -> keras.Model:
    """Convolutions as in MobileNet, with a sum and a concatenation between them, and attention."""
    def conv(x: keras.KerasTensor, name: str, depthwise: bool = False) -> keras.KerasTensor:
        layer = (layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"{name}_conv")
                 if depthwise else layers.Conv2D(16, 1, use_bias=False, name=f"{name}_conv"))
        x = layers.BatchNormalization(name=f"{name}_norm")(layer(x))
        return layers.Activation("relu6", name=f"{name}_activation")(x)

    image = layers.Input((SIZE, SIZE, 3), name="face")
    x = conv(layers.Rescaling(1 / 127.5, -1.0, name="scale")(image), "first")
    y = conv(x, "depthwise", depthwise=True)
    x = layers.Add(name="block_add")([x, y])
    tokens = layers.Reshape((SIZE * SIZE, 16))(conv(x, "second"))
    tokens = tokens + attention(layers.LayerNormalization(name="norm1")(tokens), 1, "attend")
    y = layers.Reshape((SIZE, SIZE, 16))(tokens)
    x = conv(layers.Concatenate(name="block_concat")([x, conv(y, "third")]), "last")
    features = layers.GlobalAveragePooling2D(name="pool")(x)
    scores = layers.Dense(5, "softmax", name="scores")(features)
    return keras.Model(image, {"scores": scores, "embedding": l2_normalised(features)})


def main(folder: Path, names: list[str]) -> None:
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    examples = list(rng.uniform(0, 255, (64, SIZE, SIZE, 3)).astype(np.float32))
    batches = Batches(examples, [i % 5 for i in range(64)], 5, lambda face, rng: face,
                      batch_size=16, seed=0)
    trained = fold(network())
    for name in names:
        model = tuning.tune(trained, tuple(name.split("_")), batches, STEPS)
        (folder / f"{name}.tflite").write_bytes(model)
    faces = np.stack(examples[:4])
    np.savez(folder / "expected.npz", faces=faces, scores=trained.predict(faces)["scores"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
