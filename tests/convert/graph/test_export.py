"""Every family becomes a float32 model that says what Keras says and keeps the graph contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema

from convert.check.parity import FLOAT32_LIMIT, Comparison, assert_float32, compare
from convert.graph.export import export_float32, operations
from edge_runtime.bundle.networks import Network
from edge_runtime.dataset.collection import Collection, read_collection
from edge_runtime.dataset.people import Sample, index_people
from edge_runtime.errors import ConversionError
from edge_runtime.modalities import MODALITIES
from tests.shallow import shallow_families
from train.cli.options import DEFAULT_MODEL
from train.models.build import Spec, build_network, make_spec
from train.models.frontend import LogMel, mel_filters
from train.models.registry import FAMILIES, Part
from train.runs.folder import RunFolder
from train.training.examples import network_inputs

SIZE = 64  # the smallest picture that every family takes
# One network of each family, of a pair the one for voices: its graph holds more, and families in
# which a trained tower is frozen or not have the same.
NETWORKS = [(name, family.parts[-1]) for name, family in FAMILIES.items()
            if not (family.towers and name.replace("frozen", "joint") in FAMILIES)]
NETWORKS.append((DEFAULT_MODEL, "face"))
SHAPES = {"face": (1, SIZE, SIZE, 3), "voice": (1, 41312)}


@dataclass(frozen=True)
class Converted:
    """A family's network and its float32 model."""

    family: str
    part: Part
    network: keras.Model
    model: bytes


@pytest.fixture(scope="module")
def collection(small_people: Path) -> Collection:
    return read_collection(index_people(small_people), SIZE)


@pytest.fixture(scope="module", params=NETWORKS, ids="-".join)
def converted(
    request: pytest.FixtureRequest, small_run: RunFolder, small_bundles: dict[str, Path]
) -> Converted:
    """Each network of each family: that of `small_run` as it was trained, others as they begin, and
    shallow."""
    family, part = request.param
    spec = small_run.run.spec
    if family == spec.family:
        return Converted(family, part, small_run.load_network(part),
                         (small_bundles["float32"] / f"{part}.tflite").read_bytes())
    keras.utils.set_random_seed(0)
    with shallow_families():
        network = build_network(make_spec(family, spec.people, SIZE), part)
    return Converted(family, part, network, export_float32(network))


def inputs_of(converted: Converted, collection: Collection, spec: Spec) -> dict[str, Any]:
    """Test files of synthetic people for each input, as many of each."""
    modalities = MODALITIES if converted.part == "fused" else (converted.part,)
    rows = {m: network_inputs(collection, spec, m, "test")[1] for m in modalities}
    return {m: row[: min(map(len, rows.values()))] for m, row in rows.items()}


@pytest.mark.slow
def test_scores_and_embeddings_are_those_of_keras(
    converted: Converted, collection: Collection, small_run: RunFolder
) -> None:
    inputs = inputs_of(converted, collection, small_run.run.spec)
    expected = converted.network.predict(
        inputs if converted.part == "fused" else inputs[converted.part], verbose=0)
    interpreter = Network(converted.model)
    count = len(next(iter(inputs.values())))
    found = [interpreter.run(**{name: rows[i : i + 1] for name, rows in inputs.items()})
             for i in range(count)]
    scores = np.stack([outputs.scores for outputs in found])
    embeddings = np.stack([outputs.embedding for outputs in found])
    np.testing.assert_allclose(scores, expected["scores"], rtol=0, atol=FLOAT32_LIMIT)
    np.testing.assert_allclose(embeddings, expected["embedding"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-4)


@pytest.mark.slow
def test_the_graph_contract(converted: Converted) -> None:
    graph = schema.ModelT.InitFromPackedBuf(converted.model, 0)
    assert len(graph.subgraphs) == 1
    assert {code.customCode for code in graph.operatorCodes} == {None}
    for tensor in graph.subgraphs[0].tensors:
        assert tensor.shapeSignature is None or -1 not in list(tensor.shapeSignature)
    assert not {"CUSTOM", "DELEGATE", "SHAPE", "WHILE", "IF"} & set(operations(converted.model))
    for index in (*graph.subgraphs[0].inputs, *graph.subgraphs[0].outputs):
        assert graph.subgraphs[0].tensors[index].type == schema.TensorType.FLOAT32
    interpreter = Network(converted.model)
    assert interpreter.inputs == {name: SHAPES[name] for name in
                                  (MODALITIES if converted.part == "fused" else [converted.part])}
    dim = converted.network.output["embedding"].shape[-1]
    assert interpreter.outputs == {"scores": (1, 4), "embedding": (1, dim)}
    if converted.family.endswith("_edge"):
        assert interpreter.xnnpack_partitions() == 1


def exact_spectrogram(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The front end by its definition, in float64: [CLIP_SAMPLES] -> [frames, mels]."""
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), 512)[::160]
    window = np.zeros(512)
    window[56:456] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    log_mel = np.log(np.maximum(power @ mel_filters().T, 1e-5))
    return (log_mel - log_mel.mean()) / np.sqrt(log_mel.var() + 1e-5)


def test_the_front_end_is_exact_on_the_device(collection: Collection, small_run: RunFolder) -> None:
    """Summed up carelessly, the mean of a quiet clip's 16,384 values is off by 3e-4."""
    data = keras.Input((41312,), name="voice")
    spectrogram = LogMel()(data)
    interpreter = Network(export_float32(keras.Model(
        data, {"scores": keras.ops.reshape(spectrogram, (-1, 256 * 64)),
               "embedding": keras.ops.mean(spectrogram, axis=(1, 2))}, name="front_end_alone")))
    assert interpreter.xnnpack_partitions() == 1
    _, clips = network_inputs(collection, small_run.run.spec, "voice", "test")
    for clip in (*clips, 0.01 * clips[0]):
        found = interpreter.run(voice=clip[np.newaxis]).scores.reshape(256, 64)
        np.testing.assert_allclose(found, exact_spectrogram(clip), rtol=0, atol=5e-5)


def tiny_network(shape: tuple[int | None, ...] = (8,),
                 change: Callable[[Any], Any] = lambda x: x) -> keras.Model:
    data = keras.Input(shape, name="face")
    x = change(data)
    return keras.Model(data, {"scores": keras.layers.Dense(3, "softmax")(x),
                              "embedding": keras.layers.Dense(4)(x)}, name="tiny")


def test_operations_are_counted() -> None:
    found = operations(export_float32(tiny_network()))
    assert found == {"FULLY_CONNECTED": 2, "SOFTMAX": 1}


def test_an_open_dimension_is_refused() -> None:
    network = tiny_network((None, 8), lambda x: keras.ops.mean(x, axis=1))
    with pytest.raises(ConversionError, match="tiny: expected static shapes"):
        export_float32(network)


def test_what_has_no_builtin_operation_is_refused() -> None:
    with pytest.raises(ConversionError) as caught:
        export_float32(tiny_network(change=lambda x: keras.ops.erfinv(x)))
    assert str(caught.value).startswith("tiny: the TFLite converter refuses the network (")
    assert "\n" not in str(caught.value)


def test_lost_weights_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny_network((64,))
    monkeypatch.setattr(network, "get_weights", lambda: [np.zeros(10_000, np.float32)])
    with pytest.raises(ConversionError, match="the converter lost them"):
        export_float32(network)


def test_a_conversion_that_differs_is_refused() -> None:
    network = tiny_network()
    model = Network(export_float32(network))
    inputs = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32)
    samples = tuple(Sample(f"{i}.png", "anna", "face", "test") for i in range(4))
    expected = network.predict(inputs, verbose=0)["scores"]
    reference = dict(zip(samples, expected, strict=True))
    cases = [(sample, {"face": row}) for sample, row in zip(samples, inputs, strict=True)]
    same = compare(model, cases, reference)
    assert_float32("face", same)
    assert same.max_abs_error <= FLOAT32_LIMIT and list(same.scores) == list(samples)
    for change in (2e-3, np.nan):
        other = compare(model, cases,
                        reference | {samples[2]: expected[2] + np.float32(change)})
        np.testing.assert_allclose(other.max_abs_error, change, atol=1e-5)
        with pytest.raises(ConversionError, match="the face network's float32 conversion differs"):
            assert_float32("face", other)


def test_an_error_that_is_no_number_is_refused() -> None:
    with pytest.raises(ConversionError):
        assert_float32("face", Comparison({}, float("nan")))
