"""The head of CosFace converts to one dense product: nothing but the features is normalised."""

from __future__ import annotations

import keras
import numpy as np

from convert.export import export_float32, operations
from edge_runtime.interpreter import Network
from train.models.build import _scores
from train.models.layers import l2_normalised
from train.spec import make_spec


def test_the_head_is_one_dense_product(rng: np.random.Generator) -> None:
    people = tuple("abcde")
    features = keras.Input((12,), name="face", dtype="float32")
    scores = _scores(features, make_spec("mobilevit_xxs_edge", people, 64, "cosface"))
    embedding = keras.layers.Identity(name="embedding")(l2_normalised(features))
    network = keras.Model(features, {"scores": scores, "embedding": embedding}, name="head")
    model = export_float32(network)
    # The scale is in the dense product's weights.
    assert operations(model) == {"L2_NORMALIZATION": 1, "FULLY_CONNECTED": 1, "SOFTMAX": 1}
    row = rng.normal(size=(1, 12)).astype(np.float32)
    np.testing.assert_allclose(Network(model).run(face=row).scores, network(row)["scores"][0],
                               atol=1e-5)
