"""The head of CosFace converts to what XNNPACK takes in one piece with the network before it."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from convert.graph.export import export_float32, operations, operations_in_order
from convert.quantize.recipes import apply_recipe
from edge_runtime.bundle.networks import Network
from train.models.build import _scores, make_spec
from train.models.layers import l2_normalised

PEOPLE = tuple("abcde")


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    data = keras.Input((8, 8, 3), name="face", dtype="float32")
    features = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(12, 3)(data))
    scores = _scores(features, make_spec("mobilevit_xxs_edge", PEOPLE, 64, "cosface"))
    embedding = keras.layers.Identity(name="embedding")(l2_normalised(features))
    return keras.Model(data, {"scores": scores, "embedding": embedding}, name="head")


@pytest.fixture(scope="module")
def model(network: keras.Model) -> bytes:
    return export_float32(network)


def test_no_features_are_normalised_before_the_product(
    network: keras.Model, model: bytes, rng: np.random.Generator
) -> None:
    kinds = [kind for kind, _ in operations_in_order(model)]
    assert operations(model)["L2_NORMALIZATION"] == 1  # of the embedding, which nothing reads
    assert kinds.index("FULLY_CONNECTED") < kinds.index("SOFTMAX")
    picture = rng.normal(size=(1, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(Network(model).run(face=picture).scores,
                               network(picture)["scores"][0], atol=1e-5)


@pytest.mark.parametrize("recipe", ["float32", "dynamic_wi8", "mixed_wi8"])
def test_xnnpack_takes_it_in_one_piece(
    model: bytes, recipe: str, rng: np.random.Generator
) -> None:
    samples = [{"face": rng.normal(size=(1, 8, 8, 3)).astype(np.float32)} for _ in range(4)]
    assert Network(apply_recipe(recipe, model, samples)).xnnpack_partitions() == 1
