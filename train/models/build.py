"""The one builder: from a frozen spec of a model to Keras networks that keep the graph contract."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal, get_args

import keras
from keras import KerasTensor, layers, ops

from edge_runtime.errors import UsageError
from edge_runtime.signals.voice import CLIP_SAMPLES
from train.models.frontend import LogMel, SpectrogramMasks
from train.models.fusion import BAND_NORM
from train.models.layers import inverse_length, l2_normalised, unit_columns
from train.models.registry import Fused, Pair, Part, family_of

Loss = Literal["softmax", "cosface"]
LOSSES: tuple[Loss, ...] = get_args(Loss)
MAX_SCALE = 40.0  # beyond, the smallest scores fall below what float32 can tell from zero


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A family and its sizes. `people` are the names in the order of the scores.

    `loss` decides on the layer behind the scores; with cosface they are softmax(`cosface_scale` *
    cosine).
    """

    family: str
    people: tuple[str, ...]
    image_size: int = 128
    loss: Loss = "softmax"
    cosface_scale: float = 30.0

    @property
    def num_people(self) -> int:
        return len(self.people)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The networks of the model."""
        return family_of(self.family).parts


def make_spec(
    family: str, people: tuple[str, ...], image_size: int, loss: Loss = "softmax",
    cosface_scale: float = 30.0,
) -> Spec:
    """A checked spec; UsageError for an unknown family or a size or scale it cannot take."""
    multiple = family_of(family).multiple
    if image_size % multiple or not 32 <= image_size <= 1024:
        raise UsageError(f"image size {image_size}: {family} expects a multiple of {multiple} "
                         "up to 1024")
    if not 0 < cosface_scale <= MAX_SCALE:
        raise UsageError(f"--cosface-scale expects a number above 0 and up to {MAX_SCALE:g}, found "
                         f"{cosface_scale:g}")
    return Spec(family=family, people=people, image_size=image_size, loss=loss,
                cosface_scale=cosface_scale)


DROPOUT = 0.1
LEVEL_RMS = 0.1  # of full scale: quieter, and the front end's floor cuts off the high bands


def build_network(spec: Spec, part: Part) -> keras.Model:
    """One network of a pair, or the one network of a fused family.

    Input `face`, float32 [batch, S, S, 3], RGB, 0 to 255, or `voice`, float32
    [batch, CLIP_SAMPLES], -1 to 1; `fused` takes both, by name. Outputs `scores`, softmax
    [batch, people], and `embedding`, features of length 1 [batch, dim].
    """
    # At an image size of 64 a MobileViT's last stage has one patch, which attends to itself.
    warnings.filterwarnings("ignore", "You are using a softmax over axis", UserWarning)
    family = family_of(spec.family)
    inputs: KerasTensor | dict[str, KerasTensor]
    if isinstance(family, Pair) and part in family.parts:
        inputs, image = _face(spec.image_size) if part == "face" else _voice()
        features = family.features(image)
    elif isinstance(family, Fused) and part in family.parts:
        face, image = _face(spec.image_size)
        voice, spectrogram = _voice(frozen=family.towers is not None)
        inputs = {"face": face, "voice": voice}
        features = family.fused_features(image, spectrogram)
    else:
        raise ValueError(f"{spec.family} has the parts {family.parts}, found '{part}'")
    kept = layers.Dropout(DROPOUT, name="dropout")(features)
    scores = _scores(kept, spec)
    # Under mixed precision (train.training.optimizer) everything else here computes in 16 bits.
    whole = features if features.dtype == "float32" else ops.cast(features, "float32")
    embedding = layers.Identity(name="embedding", dtype="float32")(l2_normalised(whole))
    return keras.Model(inputs, {"scores": scores, "embedding": embedding},
                       name=f"{spec.family}_{part}")


def _scores(features: KerasTensor, spec: Spec) -> KerasTensor:
    """[batch, dim] -> softmax [batch, people].

    CosFace (see training/optimizer.py) compares directions: both the features and each person's
    weights have length 1. The constraint keeps the weights so, and inference has nothing to
    normalise. The features' length is taken out of the products, not out of the features: TFLite
    would make one operation of that, which XNNPACK does not know, and cut the network in two before
    the product.
    """
    if spec.loss == "softmax":
        return layers.Dense(spec.num_people, "softmax", name="scores", dtype="float32")(features)
    cosines = layers.Dense(
        spec.num_people, use_bias=False, kernel_constraint=keras.constraints.UnitNorm(axis=0),
        kernel_initializer=unit_columns, name="scores", dtype="float32")
    whole = features if features.dtype == "float32" else ops.cast(features, "float32")
    scaled = cosines(whole) * (spec.cosface_scale * inverse_length(whole))
    return layers.Softmax(name="scores_softmax", dtype="float32")(scaled)


def _face(size: int) -> tuple[KerasTensor, KerasTensor]:
    """The input, and the picture [batch, size, size, 3], -1 to 1."""
    data = layers.Input((size, size, 3), name="face", dtype="float32")
    return data, layers.Rescaling(1 / 127.5, offset=-1.0, name="scale", dtype="float32")(data)


def _voice(frozen: bool = False) -> tuple[KerasTensor, KerasTensor]:
    """The input, and the spectrogram [batch, frames, mels, 1] of mean 0 and deviation 1.

    frozen: for a frozen tower, which expects the bands as they were when it learned.
    """
    data = layers.Input((CLIP_SAMPLES,), name="voice", dtype="float32")
    # Speech has less power in high bands; people differ in how far each band is off that. The
    # large epsilon keeps a band that is always at the floor from being blown up, rounding and all.
    bands = layers.BatchNormalization(axis=2, momentum=0.9, epsilon=0.1, trainable=not frozen,
                                      name=BAND_NORM, dtype="float32")
    return data, SpectrogramMasks(name="masks")(bands(LogMel()(_levelled(data))))


def _levelled(samples: KerasTensor) -> KerasTensor:
    """Bring a clip to the loudness LEVEL_RMS, so that the front end's floor cuts quiet and loud
    recordings at the same place. [batch, CLIP_SAMPLES] -> the same."""
    # In two steps: TFLite's sum over so many values at once is off by 3e-4.
    hops = ops.reshape(ops.square(samples), (-1, CLIP_SAMPLES // 32, 32))
    power = ops.mean(ops.mean(hops, axis=-1), axis=-1, keepdims=True)
    return samples * (LEVEL_RMS * ops.rsqrt(power + 1e-10))
