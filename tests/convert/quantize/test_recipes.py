"""Recipes: what becomes int8, what stays float32, and how small it gets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from convert.quantize.recipes import RECIPES, apply_recipe
from edge_runtime.bundle.networks import Network
from edge_runtime.errors import UsageError
from edge_runtime.modalities import MODALITIES
from train.models.frontend import LAYER_NAME

KINDS = {schema.BuiltinOperator.FULLY_CONNECTED: "FULLY_CONNECTED",
         schema.BuiltinOperator.CONV_2D: "CONV_2D",
         schema.BuiltinOperator.DEPTHWISE_CONV_2D: "DEPTHWISE_CONV_2D"}

Kind = schema.BuiltinOperator
Weights = tuple[str, str, tuple[int, ...], int, int]


def weights_of(model: bytes) -> Iterator[Weights]:
    """Kind, name, shape, type and number of scales of every operation's weights."""
    graph = schema.ModelT.InitFromPackedBuf(model, 0)
    tensors = graph.subgraphs[0].tensors
    for operation in graph.subgraphs[0].operators:
        code = graph.operatorCodes[operation.opcodeIndex]
        kind = KINDS.get(max(code.builtinCode, code.deprecatedBuiltinCode))
        if kind is None:
            continue
        weight = tensors[operation.inputs[1]]
        scales = weight.quantization.scale if weight.quantization else None
        yield (kind, tensors[operation.outputs[0]].name.decode(), tuple(map(int, weight.shape)),
               weight.type, 0 if scales is None else len(scales))


def model_of(small_bundles: dict[str, Path], recipe: str, part: str) -> bytes:
    return (small_bundles[recipe] / f"{part}.tflite").read_bytes()


@pytest.mark.parametrize("part", MODALITIES)
def test_float32_quantizes_nothing(small_bundles: dict[str, Path], part: str) -> None:
    model = model_of(small_bundles, "float32", part)
    assert {kind for kind, *_ in weights_of(model)} == set(KINDS.values())
    assert {dtype for *_, dtype, _ in weights_of(model)} == {schema.TensorType.FLOAT32}
    assert apply_recipe("float32", model) == model


def test_the_front_end_stays_float32(small_bundles: dict[str, Path]) -> None:
    """Its four matrices of cosines and sines, the two that turn blocks around, the mel filters."""
    models = {recipe: model_of(small_bundles, recipe, "voice") for recipe in small_bundles}
    front_end = [(shape, dtype) for _, name, shape, dtype, _ in weights_of(models["dynamic_wi8"])
                 if LAYER_NAME in name]
    assert {dtype for _, dtype in front_end} == {schema.TensorType.FLOAT32}
    shapes = sorted(shape for shape, _ in front_end)
    assert shapes.count((129, 100)) == 4 and shapes.count((64, 258)) == 1
    assert shapes == sorted(shape for _, name, shape, *_ in weights_of(models["float32"])
                            if LAYER_NAME in name)


def test_the_front_ends_constants_are_untouched(small_bundles: dict[str, Path]) -> None:
    def constants(model: bytes) -> list[bytes]:
        graph = schema.ModelT.InitFromPackedBuf(model, 0)
        found = []
        for tensor in graph.subgraphs[0].tensors:
            if tuple(map(int, tensor.shape)) in ((129, 100), (64, 258)):
                data, offset = graph.buffers[tensor.buffer].data, graph.buffers[tensor.buffer]
                found.append(bytes(data) if data is not None
                             else model[offset.offset : offset.offset + offset.size])
        return sorted(found)

    found = constants(model_of(small_bundles, "dynamic_wi8", "voice"))
    assert len(found) >= 5 and all(len(data) == 4 * 129 * 100 or len(data) == 4 * 64 * 258
                                   for data in found)
    assert found == constants(model_of(small_bundles, "float32", "voice"))


@pytest.mark.parametrize("part", MODALITIES)
def test_dynamic_wi8_quantizes_all_other_products(
    small_bundles: dict[str, Path], part: str
) -> None:
    count = 0
    for kind, name, shape, dtype, scales in weights_of(
            model_of(small_bundles, "dynamic_wi8", part)):
        if kind == "DEPTHWISE_CONV_2D" or LAYER_NAME in name:
            assert dtype == schema.TensorType.FLOAT32, name
        else:
            assert dtype == schema.TensorType.INT8, name
            assert scales == shape[0], f"{name}: one scale per channel"
            count += 1
    assert count > 50


@pytest.mark.parametrize("part", MODALITIES)
def test_dynamic_wi8_is_smaller(small_bundles: dict[str, Path], part: str) -> None:
    assert (len(model_of(small_bundles, "dynamic_wi8", part))
            < 0.4 * len(model_of(small_bundles, "float32", part)))


@pytest.mark.parametrize("part", MODALITIES)
@pytest.mark.parametrize("recipe", ["float32", "dynamic_wi8", "mixed_wi8"])
def test_inputs_outputs_and_pieces(
    small_bundles: dict[str, Path], recipe: str, part: str
) -> None:
    model = model_of(small_bundles, recipe, part)
    graph = schema.ModelT.InitFromPackedBuf(model, 0).subgraphs[0]
    for index in (*graph.inputs, *graph.outputs):
        assert graph.tensors[index].type == schema.TensorType.FLOAT32
    network = Network(model)
    partitions = network.xnnpack_partitions()
    limit = RECIPES[recipe].max_partitions
    assert partitions is not None and limit is not None and 1 <= partitions <= limit
    inputs = {name: np.zeros(shape, np.float32) for name, shape in network.inputs.items()}
    outputs = network.run(**inputs)
    assert np.isfinite(outputs.scores).all() and np.isfinite(outputs.embedding).all()


@pytest.mark.parametrize("part", MODALITIES)
def test_mixed_wi8_gives_each_operation_its_form(
    small_bundles: dict[str, Path], part: str
) -> None:
    """FACTS of XNNPACK: which kinds run fast in which form."""
    model = model_of(small_bundles, "mixed_wi8", part)
    graph = schema.ModelT.InitFromPackedBuf(model, 0)
    tensors = graph.subgraphs[0].tensors
    seen = set()
    for operation in graph.subgraphs[0].operators:
        code = graph.operatorCodes[operation.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        first, *others = (tensors[i] for i in operation.inputs if i >= 0)
        out = tensors[operation.outputs[0]]
        name = out.name.decode()
        if kind in (Kind.CONV_2D, Kind.DEPTHWISE_CONV_2D):
            assert first.type == others[0].type == out.type == schema.TensorType.INT8, name
            assert len(others[0].quantization.scale) == out.shape[-1], name
        elif kind == Kind.FULLY_CONNECTED and LAYER_NAME not in name:
            assert first.type == out.type == schema.TensorType.FLOAT32, name
            assert others[0].type == schema.TensorType.INT8, name
        elif kind == Kind.BATCH_MATMUL:
            for tensor in (first, *others):
                assert tensor.type == schema.TensorType.INT8, name
                assert not np.any(tensor.quantization.zeroPoint), name
        elif kind in (Kind.SOFTMAX, Kind.RSQRT, Kind.FULLY_CONNECTED, Kind.LOG):
            assert first.type == out.type == schema.TensorType.FLOAT32, name
        elif kind == Kind.CONCATENATION and "_concat" in name:
            assert first.type == out.type == schema.TensorType.INT8, name
        seen.add(kind)
    assert seen >= {Kind.CONV_2D, Kind.DEPTHWISE_CONV_2D, Kind.FULLY_CONNECTED, Kind.BATCH_MATMUL,
                    Kind.SOFTMAX, Kind.RSQRT, Kind.CONCATENATION}


@pytest.mark.parametrize("recipe", [name for name, r in RECIPES.items() if r.needs_samples])
def test_static_recipes_need_samples(recipe: str) -> None:
    with pytest.raises(UsageError, match=f"{recipe} measures ranges on training files, found none"):
        apply_recipe(recipe, b"")


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        apply_recipe("int4", b"")
    assert str(caught.value) == (
        f"unknown recipe 'int4', expected one of {', '.join(RECIPES)}, or before it one of "
        "pruned50_, pruned2of4_, clustered16_, or qat_mixed_wi8, alone or after a pruning")
