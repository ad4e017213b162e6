"""What TensorFlow Model Optimization leaves in the files: zeros, clusters, int8 convolutions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema

from convert.quantize.recipes import SWEPT, apply_recipe, find_recipe
from edge_runtime.bundle.networks import Network
from edge_runtime.errors import UsageError

ROOT = Path(__file__).parents[3]
CHILD = Path(__file__).parent / "tiny_tuning.py"
Kind, Type = schema.BuiltinOperator, schema.TensorType
DTYPES: dict[int, type[Any]] = {Type.FLOAT32: np.float32, Type.INT8: np.int8}
NAMES = ["pruned50", "pruned2of4", "clustered16", "qat", "pruned50_qat"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tuned")
    done = subprocess.run([sys.executable, CHILD, folder, *NAMES], cwd=ROOT, capture_output=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def tuned(folder: Path) -> dict[str, bytes]:
    return {name: (folder / f"{name}.tflite").read_bytes() for name in NAMES}


def weights(model: bytes) -> list[tuple[int, npt.NDArray[Any], int]]:
    """Kind, values and number of scales of the weights of each convolution and dense layer."""
    graph = schema.ModelT.InitFromPackedBuf(model, 0)
    tensors, found = graph.subgraphs[0].tensors, []
    for operation in graph.subgraphs[0].operators:
        code = graph.operatorCodes[operation.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        if kind in (Kind.CONV_2D, Kind.DEPTHWISE_CONV_2D, Kind.FULLY_CONNECTED):
            tensor = tensors[operation.inputs[1]]
            data = bytes(graph.buffers[tensor.buffer].data)
            values = np.frombuffer(data, DTYPES[tensor.type]).reshape(tensor.shape)
            scale = tensor.quantization.scale if tensor.quantization else None
            found.append((kind, values, 0 if scale is None else len(scale)))
    return found


def zeros(values: npt.NDArray[Any]) -> float:
    return float(np.mean(values == 0))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_answers_stay_close(name: str, tuned: dict[str, bytes], folder: Path) -> None:
    with np.load(folder / "expected.npz") as arrays:
        faces, scores = arrays["faces"], arrays["scores"]
    network = Network(tuned[name])
    for face, expected in zip(faces, scores, strict=True):
        np.testing.assert_allclose(network.run(face=face[np.newaxis]).scores, expected, atol=0.15)


@pytest.mark.parametrize("name", ["pruned50", "pruned2of4"])
def test_half_of_the_weights_are_zero(name: str, tuned: dict[str, bytes]) -> None:
    found = weights(tuned[name])
    assert len(found) == 4 + 1 + 2 + 1  # convolutions, depthwise, attention, scores
    for kind, values, _ in found:
        if kind == Kind.DEPTHWISE_CONV_2D:
            assert zeros(values) < 0.1
        elif name == "pruned50" or values.shape[-1] % 4 == 0:
            assert zeros(values) == pytest.approx(0.5, abs=0.02)


def test_two_of_four_are_zero(tuned: dict[str, bytes]) -> None:
    """Of the inputs of one output, which is how TFLite stores them: in the last axis."""
    for kind, values, _ in weights(tuned["pruned2of4"]):
        if kind != Kind.DEPTHWISE_CONV_2D and values.shape[-1] % 4 == 0:
            fours = values.reshape(-1, 4)
            assert (np.count_nonzero(fours, axis=1) <= 2).all()


def test_sixteen_different_weights(tuned: dict[str, bytes]) -> None:
    for kind, values, _ in weights(tuned["clustered16"]):
        if kind != Kind.DEPTHWISE_CONV_2D:
            assert len(np.unique(values)) <= 16


@pytest.mark.parametrize("name", ["qat", "pruned50_qat"])
def test_convolutions_become_int8_with_a_scale_each(name: str, tuned: dict[str, bytes]) -> None:
    found = weights(tuned[name])
    for kind, values, scales in found:
        if kind == Kind.FULLY_CONNECTED:
            assert values.dtype == np.float32 and scales == 0
        else:
            axis = 3 if kind == Kind.DEPTHWISE_CONV_2D else 0
            assert values.dtype == np.int8 and scales == values.shape[axis]
    assert [kind for kind, *_ in found].count(Kind.CONV_2D) == 4
    graph = schema.ModelT.InitFromPackedBuf(tuned[name], 0)
    tensors, seen = graph.subgraphs[0].tensors, set()
    for operation in graph.subgraphs[0].operators:
        code = graph.operatorCodes[operation.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        ends = [tensors[operation.inputs[0]], tensors[operation.outputs[0]]]
        between = kind == Kind.ADD and "block_add" in ends[1].name.decode()
        if between or kind in (Kind.CONV_2D, Kind.DEPTHWISE_CONV_2D, Kind.CONCATENATION):
            assert [t.type for t in ends] == [Type.INT8, Type.INT8]
            seen.add(kind)
    assert seen == {Kind.CONV_2D, Kind.DEPTHWISE_CONV_2D, Kind.ADD, Kind.CONCATENATION}


def test_zeros_outlive_int8(tuned: dict[str, bytes]) -> None:
    for kind, values, _ in weights(tuned["pruned50_qat"]):
        if kind == Kind.CONV_2D:
            assert zeros(values) >= 0.48


@pytest.mark.parametrize("name", ["qat", "pruned50_qat"])
def test_the_recipe_adds_the_rest(name: str, tuned: dict[str, bytes], folder: Path) -> None:
    with np.load(folder / "expected.npz") as arrays:
        samples = [{"face": face[np.newaxis]} for face in arrays["faces"]]
    before = {values.tobytes() for kind, values, _ in weights(tuned[name])
              if kind != Kind.FULLY_CONNECTED}
    model = apply_recipe(f"{name}_mixed_wi8", tuned[name], samples)
    found = weights(model)
    assert {values.dtype.name for _, values, _ in found} == {"int8"}
    # What was trained in int8 is kept bit by bit.
    assert {values.tobytes() for kind, values, _ in found
            if kind != Kind.FULLY_CONNECTED} == before
    assert Network(model).xnnpack_partitions() in (None, 1)


@pytest.mark.parametrize(("name", "techniques"), [
    ("mixed_wi8", ()), ("qat_mixed_wi8", ("qat",)), ("pruned2of4_float32", ("pruned2of4",)),
    ("pruned50_qat_mixed_wi8", ("pruned50", "qat"))])
def test_the_grammar(name: str, techniques: tuple[str, ...]) -> None:
    assert find_recipe(name).techniques == techniques


@pytest.mark.parametrize("name", [
    "", "int8", "qat", "qat_", "qat_dynamic_wi8", "qat_pruned50_mixed_wi8", "mixed_wi8_qat",
    "clustered16_qat_mixed_wi8", "pruned50_clustered16_mixed_wi8", "pruned60_mixed_wi8",
    "pruned50", "qat_qat_mixed_wi8", "pruned50_auto"])
def test_what_no_rule_allows(name: str) -> None:
    with pytest.raises(UsageError, match=r"unknown recipe '.*expected one of float32"):
        find_recipe(name)


def test_the_sweep_shows_each_technique_once() -> None:
    shown = ["_".join(find_recipe(name).techniques) for name in SWEPT]
    assert sorted(name for name in shown if name) == sorted(NAMES)
