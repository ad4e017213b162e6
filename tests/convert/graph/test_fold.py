"""Folding: the same function in fewer operations."""

from __future__ import annotations

from collections import Counter

import keras
import numpy as np
import pytest

from convert.graph.fold import RootMeanSquareNorm, fold
from tests.convert.drawn_networks import NETWORKS, drawn
from train.models.registry import Part


def outputs(network: keras.Model, rng: np.random.Generator) -> dict[str, np.ndarray]:
    inputs = {tensor.name: rng.uniform(0, 255 if tensor.name == "face" else 0.2,
                                       (2, *tensor.shape[1:])).astype(np.float32)
              for tensor in network.inputs}
    found = network(inputs if len(inputs) > 1 else next(iter(inputs.values())), training=False)
    return {name: keras.ops.convert_to_numpy(value) for name, value in found.items()}


def kinds(network: keras.Model) -> Counter[str]:
    """Layers by class, those of towers included."""
    found: Counter[str] = Counter()
    for layer in network.layers:
        found += kinds(layer) if isinstance(layer, keras.Model) else Counter([type(layer).__name__])
    return found


@pytest.mark.parametrize(("name", "part"), NETWORKS)
def test_folding_changes_no_output(name: str, part: Part) -> None:
    network = drawn(name, part, np.random.default_rng(0))
    before = [weight.numpy() for weight in network.weights]
    expected = outputs(network, np.random.default_rng(1))
    folded = fold(network)
    found = outputs(folded, np.random.default_rng(1))
    for key in ("scores", "embedding"):
        np.testing.assert_allclose(found[key], expected[key], atol=1e-5, err_msg=key)
        assert np.ptp(expected[key]) > 1e-3
    assert set(found) == set(expected) and folded.count_params() <= network.count_params()
    # The trained network is as it was, and answers as it did.
    for weight, value in zip(network.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)
    again = outputs(network, np.random.default_rng(1))
    np.testing.assert_array_equal(again["scores"], expected["scores"])


def test_mobilevit_keeps_no_layer_norm() -> None:
    """9 transformers of 2 norms and 3 norms of tokens; 9 norms of keys; 9 factors."""
    network = drawn("mobilevit_xxs_edge", "face", np.random.default_rng(0))
    assert kinds(network)["LayerNormalization"] == 21 and kinds(network)["RMSNormalization"] == 18
    found = kinds(fold(network))
    assert found["LayerNormalization"] == 0 and found["RMSNormalization"] == 9
    assert found[RootMeanSquareNorm.__name__] == 30
    # The face's own scaling to -1 to 1 is left.
    assert kinds(network)["Rescaling"] == 10 and found["Rescaling"] == 1


def test_without_normalised_queries_the_factor_goes_into_their_weights() -> None:
    network = drawn("mobilevit_xxs", "face", np.random.default_rng(0))
    found = kinds(fold(network))
    assert (found["LayerNormalization"], found["Rescaling"]) == (0, 1)
    assert found[RootMeanSquareNorm.__name__] == 21
