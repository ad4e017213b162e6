"""Networks whose every weight is drawn, those included that start as 1 or 0."""

from __future__ import annotations

import keras
import numpy as np

from train.models.build import build_network, make_spec
from train.models.registry import Part

SIZE = 64
# Each way in which norms and attention stand in a network; other families repeat them, wider.
NETWORKS: list[tuple[str, Part]] = [
    ("mobilevit_xxs", "face"), ("mobilevit_xxs_edge", "voice"), ("vit", "face"),
    ("vit_stacked", "fused"), ("mobilevit_cross_attention", "fused"),
    ("mobilevit_xxs_edge_frozen_concat", "fused"), ("vgg16", "face")]


def drawn(name: str, part: Part, rng: np.random.Generator) -> keras.Model:
    """Every weight is drawn: at first scales are 1 and shifts 0, and folding shows nothing."""
    network = build_network(make_spec(name, ("anna", "ben", "cleo"), SIZE), part)
    for weight in network.weights:
        if weight.dtype == "float32":
            weight.assign(weight.numpy() + rng.uniform(-0.2, 0.4, weight.shape)
                          * (1 if len(weight.shape) == 1 else 0.1))
    return network
