"""The `tf_keras` twin computes what the Keras network computes."""

from __future__ import annotations

import numpy as np
import pytest

from convert.graph.fold import fold
from convert.graph.twin import build_twin, export_twin
from edge_runtime.bundle.networks import Network
from tests.convert.drawn_networks import drawn
from train.models.registry import Part

# Convolutions with attention, towers within, plain transformer, plain convolutions.
NETWORKS: list[tuple[str, Part]] = [
    ("mobilevit_xxs_edge_frozen_concat", "fused"), ("vit", "face"), ("vgg16", "face")]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "part"), NETWORKS)
def test_the_twin_gives_the_same_outputs(name: str, part: Part) -> None:
    network = fold(drawn(name, part, np.random.default_rng(0)))
    rng = np.random.default_rng(1)
    inputs = {tensor.name: rng.uniform(0, 255 if tensor.name == "face" else 0.2,
                                       (1, *tensor.shape[1:])).astype(np.float32)
              for tensor in network.inputs}
    expected = network(inputs if len(inputs) > 1 else next(iter(inputs.values())), training=False)
    twin = build_twin(network)
    scores, embedding = twin(list(inputs.values()), training=False)
    np.testing.assert_allclose(scores, expected["scores"], atol=1e-5)
    np.testing.assert_allclose(embedding, expected["embedding"], atol=1e-5)
    on_device = Network(export_twin(twin)).run(**inputs)
    np.testing.assert_allclose(on_device.scores, expected["scores"][0], atol=1e-4)
    np.testing.assert_allclose(on_device.embedding, expected["embedding"][0], atol=1e-4)
