"""VGG16: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image
Recognition, 2014 (arXiv 1409.1556), table 1, configuration D.

The convolutions are the paper's, under the layer names of keras.applications, whose ImageNet
weights they take. The dense head is ours: the paper's own, made for 1000 classes at 224x224, has
120M weights; one hidden layer of 896 brings two networks for 95 people at 128x128 to the 44.3M of
the source experiment. It is flattened and not pooled: behind a pool no sensible width gets there.
A face of 128x128 and the spectrogram of 256x64 both flatten to 8192.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import KerasTensor, layers

from train.models.layers import mlp

WIDTHS = (64, 128, 256, 512, 512)
DEPTHS = (2, 2, 3, 3, 3)
HEAD = (896,)
HEAD_DROPOUT = 0.5  # section 3.1

IMAGENET_MEAN = np.array([103.939, 116.779, 123.68], np.float32)  # blue, green, red; 0 to 255
IMAGENET_SPREAD = 57.5  # standard deviation over the colours, likewise


def vgg16(image: KerasTensor, head: tuple[int, ...] = HEAD) -> KerasTensor:
    """[batch, height, width, channels], sides multiples of 32 -> features [batch, head[-1]].

    The layer `flatten` gives what the convolutions found, for heads trained on stored features.
    """
    flat = layers.Flatten(name="flatten")(convolutions(image))
    return mlp(flat, head, "relu", HEAD_DROPOUT, name="dense")


def convolutions(image: KerasTensor) -> KerasTensor:
    """[batch, height, width, channels] -> [batch, height / 32, width / 32, 512]."""
    x = image
    for block, (width, depth) in enumerate(zip(WIDTHS, DEPTHS, strict=True), 1):
        for i in range(1, depth + 1):
            # Without batch norm, Keras's default start lets the signal die on the way: He et al.,
            # 2015 (arXiv 1502.01852), section 2.2.
            x = layers.Conv2D(width, 3, padding="same", activation="relu",
                              kernel_initializer="he_normal", name=f"block{block}_conv{i}")(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    return x


def assign_imagenet(network: keras.Model, source: keras.Model) -> None:
    """Give the convolutions of a network or tower those of keras.applications.VGG16.

    network: for pictures of 3 channels (RGB, -1 to 1) or spectrograms of 1 (mean 0, deviation 1).
    source: `keras.applications.VGG16(weights=..., include_top=False)`.
    """
    for block, depth in enumerate(DEPTHS, 1):
        for i in range(1, depth + 1):
            layer = network.get_layer(f"block{block}_conv{i}")
            kernel, bias = source.get_layer(layer.name).get_weights()
            if layer.name == "block1_conv1":
                kernel, bias = _for_our_scale(kernel, bias, layer.kernel.shape[2])
            layer.set_weights([kernel, bias])


def _for_our_scale(
    kernel: np.ndarray, bias: np.ndarray, channels: int
) -> tuple[np.ndarray, np.ndarray]:
    """The first kernel [3, 3, 3, out], made for BGR 0 to 255 less its mean, for our inputs.

    The same but for the outermost pixels, where our padding is mid-grey and theirs the mean.
    """
    if channels == 1:
        return kernel.sum(axis=2, keepdims=True) * IMAGENET_SPREAD, bias
    offset = np.einsum("hwco,c->o", kernel, 127.5 - IMAGENET_MEAN)
    return kernel[:, :, ::-1] * 127.5, bias + offset
