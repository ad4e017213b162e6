"""The one builder: from a frozen spec to Keras networks that keep the graph contract."""

from __future__ import annotations

import keras
from keras import layers

from edge_runtime.people import Modality
from edge_runtime.voice import CLIP_SAMPLES
from train.augment import SpectrogramMasks
from train.frontend import LogMel
from train.models.layers import l2_normalised
from train.models.registry import family_of
from train.spec import Spec

DROPOUT = 0.1


def build_network(spec: Spec, modality: Modality) -> keras.Model:
    """One network of a pair.

    Input `face`, float32 [batch, S, S, 3], RGB, 0 to 255, or `voice`, float32
    [batch, CLIP_SAMPLES], -1 to 1. Outputs `scores`, softmax [batch, people], and `embedding`,
    features of length 1 [batch, dim].
    """
    if modality == "face":
        size = spec.image_size
        data = layers.Input((size, size, 3), name="face", dtype="float32")
        image = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(data)
    else:
        data = layers.Input((CLIP_SAMPLES,), name="voice", dtype="float32")
        image = SpectrogramMasks(name="masks")(LogMel()(data))
    features = family_of(spec.family).features(image)
    kept = layers.Dropout(DROPOUT, name="dropout")(features)
    scores = layers.Dense(spec.num_people, "softmax", name="scores", dtype="float32")(kept)
    embedding = layers.Identity(name="embedding")(l2_normalised(features))
    return keras.Model(data, {"scores": scores, "embedding": embedding},
                       name=f"{spec.family}_{modality}")
