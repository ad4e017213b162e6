"""Multiply-adds and bytes, against counts by hand; layers cut out compute what the whole does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.cost.graph import Layer, dense_model, read_layers, sum_model
from benchmarks.cost.operations import single_operations
from edge_runtime.bundle.networks import chosen_interpreter, count_partitions, load_bundle
from tests.benchmarks.tiny_network import tiny_network


def opened(model: bytes, *, keep: bool = False) -> Any:
    interpreter = chosen_interpreter().make(model_content=model,
                                            experimental_preserve_all_tensors=keep)
    interpreter.allocate_tensors()
    return interpreter


def test_a_network_counted_by_hand() -> None:
    assert read_layers(tiny_network()) == [
        # 4 x 4 x 4 outputs of 3 x 3 x 3 products each; 192 + 108 + 4 + 64 numbers of 4 bytes
        Layer("CONV_2D", "conv", 64 * 27, 4 * (192 + 108 + 4 + 64), False),
        Layer("DEPTHWISE_CONV_2D", "depthwise", 64 * 9, 4 * (64 + 36 + 4 + 64), False),
        Layer("RESHAPE", "row", 0, 0, False),
        Layer("FULLY_CONNECTED", "dense", 640, 4 * (64 + 640 + 10), False)]


def test_layers_alone_compute_what_the_network_does() -> None:
    model = tiny_network()
    whole = opened(model, keep=True)
    picture = np.random.default_rng(1).standard_normal((1, 8, 8, 3), dtype=np.float32)
    whole.set_tensor(whole.get_input_details()[0]["index"], picture)
    whole.invoke()
    outputs = {t["name"]: t["index"] for t in whole.get_tensor_details()}
    row = picture
    for layer, (kind, part) in zip(read_layers(model), single_operations(model), strict=True):
        assert kind == layer.kind
        alone = opened(part)
        (given,) = alone.get_input_details()  # constants are none
        alone.set_tensor(given["index"], row)
        alone.invoke()
        row = alone.get_tensor(alone.get_output_details()[0]["index"])
        np.testing.assert_allclose(row, whole.get_tensor(outputs[layer.name]), atol=1e-5)


def test_models_of_one_operation() -> None:
    for int8, size in ((False, 4), (True, 1)):
        model = dense_model(32, int8=int8)
        assert read_layers(model) == [
            Layer("FULLY_CONNECTED", "output", 32**3, 3 * 32 * 32 * size, int8)]
        assert count_partitions(opened(model)) == 1  # XNNPACK's kernel, as in our networks
    assert read_layers(sum_model(100)) == [Layer("ADD", "c", 0, 1200, False)]


def test_recipes_of_one_network(small_bundles: dict[str, Path]) -> None:
    """Quantizing changes bytes and types, and not the products."""
    layers = {(recipe, part): read_layers(model) for recipe, path in small_bundles.items()
              for part, model in load_bundle(path, allow_uncertified=True).models.items()}
    for part in ("face", "voice"):
        found = {recipe: layers[recipe, part] for recipe in small_bundles}
        assert len({sum(layer.macs for layer in row) for row in found.values()}) == 1
        moved = {recipe: sum(layer.bytes for layer in row) for recipe, row in found.items()}
        assert moved["mixed_wi8"] < moved["dynamic_wi8"] < moved["float32"]
        int8 = {recipe: sum(layer.macs for layer in row if layer.int8)
                for recipe, row in found.items()}
        assert int8["float32"] == 0 < int8["dynamic_wi8"] < int8["mixed_wi8"]


@pytest.mark.parametrize(("shape", "adjoint", "inner"), [((2, 3, 5), False, 5),
                                                        ((2, 5, 3), True, 5)])
def test_products_of_attention(shape: tuple[int, ...], adjoint: bool, inner: int) -> None:
    from ai_edge_litert import schema_py_generated as schema

    from benchmarks.cost import graph

    options = schema.BatchMatMulOptionsT()
    options.adjX = adjoint
    tensors = [graph._tensor("a", shape, "FLOAT32"), graph._tensor("b", (2, inner, 7), "FLOAT32"),
               graph._tensor("c", (2, 3, 7), "FLOAT32")]
    model = graph._one_operation("BATCH_MATMUL", 1, options, tensors, [schema.BufferT()])
    assert read_layers(model)[0].macs == 2 * 3 * 5 * 7
