"""One network for face and voice: functions that join the two modalities.

The towers, one per modality, are networks within the network, so that their layers keep their names
and take the weights of a trained pair as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import keras
from keras import KerasTensor, layers, ops

from train.models import mobilevit, vit
from train.models.layers import cross_attention, mlp

Function = Callable[[KerasTensor], KerasTensor]
Join = Literal["add", "multiply", "concat"]

TOWERS = {"face": "face_tower", "voice": "voice_tower"}  # by modality
BAND_NORM = "band_norm"  # before the voice tower, and learned with it
DROPOUT = 0.1
EPSILON = 1e-6

_JOINS = {"add": layers.Add, "multiply": layers.Multiply, "concat": layers.Concatenate}


@dataclass(frozen=True)
class Head:
    """The dense layers behind two joined modalities."""

    widths: tuple[int, ...]
    activation: str


def stacked(face: KerasTensor, spectrogram: KerasTensor) -> KerasTensor:
    """Input fusion: the spectrogram becomes the face's fourth channel.

    face [batch, S, S, 3], spectrogram [batch, frames, mels, 1] -> [batch, S, S, 4]
    """
    size = face.shape[1]
    square = _square(spectrogram)
    if square.shape[1] != size:
        square = ops.image.resize(square, (size, size), interpolation="bilinear",
                                  data_format="channels_last")
    return ops.concatenate([face, square], axis=-1)


def _square(spectrogram: KerasTensor) -> KerasTensor:
    """Cut time into stretches side by side: 256 x 64 values become 128 x 128, none lost.

    [batch, frames, mels, 1] -> [batch, side, side, 1], where side * side = frames * mels.
    """
    frames, mels = spectrogram.shape[1:3]
    side = math.isqrt(frames * mels)
    x = ops.reshape(spectrogram, (-1, side // mels, side, mels))
    # [batch, stretches, frames, mels] --> [batch, frames, stretches, mels]
    return ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, side, side, 1))


def joined(
    face: KerasTensor, spectrogram: KerasTensor, tower: Function, join: Join, head: Head,
    *, frozen: bool,
) -> KerasTensor:
    """Output fusion: two towers' features joined, then a new MLP.

    face [batch, S, S, 3], spectrogram [batch, frames, mels, 1] -> [batch, head.widths[-1]].
    tower: one modality's image to features. `frozen` towers are a trained pair's: see
    `copy_towers`.
    """
    features = _JOINS[join](name="join")(_towers(face, spectrogram, tower, frozen))
    # Sums, products and trained features come in every size.
    features = layers.LayerNormalization(epsilon=EPSILON, name="join_norm")(features)
    return mlp(features, head.widths, head.activation, DROPOUT, name="join_mlp")


def cross_attended(
    face: KerasTensor, spectrogram: KerasTensor, tower: Function, num_heads: int, head: Head
) -> KerasTensor:
    """Two towers' tokens mixed by cross-attention, each querying the other, then an MLP.

    face [batch, S, S, 3], spectrogram [batch, frames, mels, 1] -> [batch, head.widths[-1]].
    tower: one modality's image to tokens [batch, length, dim]. Lu et al., ViLBERT, 2019
    (arXiv 1908.02265), section 3.1: co-attention, here once, on the towers' last tokens.
    """
    tokens = dict(zip(TOWERS, _towers(face, spectrogram, tower, frozen=False), strict=True))
    normed = {modality: layers.LayerNormalization(epsilon=EPSILON, name=f"{modality}_norm")(t)
              for modality, t in tokens.items()}
    pooled = []
    for modality, other in (("face", "voice"), ("voice", "face")):
        mixed = tokens[modality] + cross_attention(normed[modality], normed[other], num_heads,
                                                   name=f"{modality}_to_{other}")
        mixed = layers.LayerNormalization(epsilon=EPSILON, name=f"{modality}_mixed_norm")(mixed)
        pooled.append(layers.GlobalAveragePooling1D(name=f"{modality}_pool")(mixed))
    features = layers.Concatenate(name="concat")(pooled)
    return mlp(features, head.widths, head.activation, DROPOUT, name="mlp")


def vit_cross_attention(face: KerasTensor, spectrogram: KerasTensor) -> KerasTensor:
    """Two ViTs mixed by cross-attention: features [batch, 768]."""
    size = vit.TOWER
    return cross_attended(face, spectrogram, lambda image: vit.vit_tokens(image, size),
                          size.num_heads, Head((2048, 768), "gelu"))


def mobilevit_cross_attention(face: KerasTensor, spectrogram: KerasTensor) -> KerasTensor:
    """Two MobileViT-XXS for the device mixed by cross-attention: features [batch, 320]."""
    style = mobilevit.EDGE
    return cross_attended(face, spectrogram, _mobilevit_tokens, style.num_heads,
                          Head((640, 320), style.activation))


def _mobilevit_tokens(image: KerasTensor) -> KerasTensor:
    """The last stage's pixels [batch, height / 32 * width / 32, 80]; image is a model's input."""
    whole = keras.Model(image, mobilevit.mobilevit(image, mobilevit.XXS, mobilevit.EDGE))
    last = whole.get_layer("stage5_merge_activation").output
    return ops.reshape(last, (-1, last.shape[1] * last.shape[2], last.shape[3]))


class _Frozen(keras.Model):
    """Runs in inference mode even where the network around it trains.

    `tower(image, training=False)` does not: Keras 3.15 hands down the outer call's `training` in
    its place, and dropout would go on in a tower that no longer learns.
    """

    def call(self, inputs: KerasTensor, training: bool | None = None, mask: Any = None) -> Any:
        return super().call(inputs, training=False, mask=mask)


def _towers(
    face: KerasTensor, spectrogram: KerasTensor, tower: Function, frozen: bool
) -> list[KerasTensor]:
    outputs = []
    for name, image in zip(TOWERS.values(), (face, spectrogram), strict=True):
        data = layers.Input(image.shape[1:])
        network = (_Frozen if frozen else keras.Model)(data, tower(data), name=name)
        network.trainable = not frozen
        outputs.append(network(image))
    return outputs


def copy_towers(
    network: keras.Model, face_network: keras.Model, voice_network: keras.Model
) -> None:
    """Give a frozen fusion's towers the weights of a trained pair of the same image size."""
    pair = (face_network, voice_network)
    copies = [(layer, trained) for name, trained in zip(TOWERS.values(), pair, strict=True)
              for layer in network.get_layer(name).layers]
    for layer, trained in [*copies, (network.get_layer(BAND_NORM), voice_network)]:
        if layer.weights:
            layer.set_weights(trained.get_layer(layer.name).get_weights())
