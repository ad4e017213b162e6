"""VGG16's head on frozen convolutions: features computed once, a whole network in the end."""

from __future__ import annotations

from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from edge_runtime.dataset.collection import Collection, read_collection
from edge_runtime.dataset.people import index_people
from edge_runtime.errors import RunError, UsageError
from edge_runtime.modalities import MODALITIES
from train.data import FACE_MARGIN, without_people
from train.models.build import Spec, build_network, make_spec
from train.models.registry import Part
from train.runs.folder import Run, RunFolder, Training, load_run
from train.training import frozen
from train.training.examples import Batches, training_batches
from train.training.fit import fit
from train.training.frozen import IMAGENET_FILE, IMAGENET_URL, frozen_head, read_convolutions


@pytest.fixture(scope="module")
def collection(small_people: Path) -> Collection:
    """Two people."""
    everybody = read_collection(index_people(small_people), round(64 * FACE_MARGIN))
    return without_people(everybody, ("synthetic_003", "synthetic_004"))


@pytest.fixture(scope="module")
def spec(collection: Collection) -> Spec:
    return make_spec("vgg16", collection.people.names, 64)


@pytest.fixture(scope="module")
def convolutions() -> keras.Model:
    keras.utils.set_random_seed(1)
    return keras.applications.VGG16(weights=None, include_top=False)


@pytest.fixture(scope="module")
def weights_file(convolutions: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn weights in the layout of keras.applications' own file."""
    path = tmp_path_factory.mktemp("vgg") / IMAGENET_FILE
    layers = [layer for layer in convolutions.layers if layer.weights]
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        for layer in layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}_{which}_1:0" for which in "Wb"]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, layer.get_weights(), strict=True):
                group.create_dataset(name, data=value)
    return path


@pytest.fixture(autouse=True)
def two_views(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "VIEWS", 2)


def assert_convolutions(network: keras.Model, convolutions: keras.Model) -> None:
    for name in ("block1_conv2", "block5_conv3"):
        for one, other in zip(network.get_layer(name).get_weights(),
                              convolutions.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_file_as_keras_publishes_it(
    spec: Spec, weights_file: Path, convolutions: keras.Model
) -> None:
    assert read_convolutions(spec, Training()) is None
    found = read_convolutions(spec, Training(weights=str(weights_file)))
    assert found is not None
    assert_convolutions(found, convolutions)


def test_weights_that_cannot_be_had(
    spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="vit takes no --weights, only vgg16 does"):
        read_convolutions(make_spec("vit", spec.people, 64), Training(weights="imagenet"))
    with pytest.raises(RunError, match="found no file 'nowhere\\.h5'"):
        read_convolutions(spec, Training(weights="nowhere.h5"))
    damaged = tmp_path / "vgg.h5"
    damaged.write_bytes(b"no weights")
    with pytest.raises(RunError, match=f"expected keras.applications' VGG16 without its top "
                                       f"\\({IMAGENET_FILE}\\), found another or a damaged file"):
        read_convolutions(spec, Training(weights=str(damaged)))

    def without_internet(weights: str, include_top: bool) -> keras.Model:
        raise Exception("URL fetch failure on https://x.org: None -- [Errno -2] Name or service\n"
                        "not known")

    monkeypatch.setattr(keras.applications, "VGG16", without_internet)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(RunError) as caught:
        read_convolutions(spec, Training(weights="imagenet"))
    said = str(caught.value)
    assert "\n" not in said and said.endswith("or name it: --weights FILE")
    assert said.startswith("--weights imagenet: cannot be downloaded here ([Errno -2] Name or "
                           f"service not known); fetch {IMAGENET_URL} elsewhere and put it into "
                           f"{tmp_path / 'models'}, ")


@pytest.fixture
def folder(tmp_path: Path, spec: Spec) -> RunFolder:
    return RunFolder(tmp_path, Run(format=1, spec=spec, training=Training(), data=None,
                                   versions={}, commit=None, wall_s=None))


def cut(
    folder: RunFolder, collection: Collection, spec: Spec, part: Part, convolutions: keras.Model,
    training: Training,
) -> tuple[keras.Model, keras.Model, Batches, Batches]:
    """The network, its head, and both their batches."""
    keras.utils.set_random_seed(0)
    network = build_network(spec, part)
    batches = training_batches(collection, spec, training, part, [])
    head, drawn, _ = frozen_head(network, convolutions, collection, spec, training, part, batches,
                                 folder)
    return network, head, batches, drawn


def test_the_head_sees_what_it_would_in_the_network(
    folder: RunFolder, collection: Collection, spec: Spec, convolutions: keras.Model
) -> None:
    network, head, batches, drawn = cut(folder, collection, spec, "face", convolutions, Training())
    assert len(drawn.examples) == len(batches.examples) and drawn.examples[0].shape == (2, 2048)
    np.testing.assert_array_equal(drawn.targets, batches.targets)
    assert {layer.name for layer in head.layers if layer.weights} == {"dense0", "scores"}
    view = batches.augment(batches.examples[3], np.random.default_rng([0, 1, 3]))
    expected = np.asarray(network(view[np.newaxis], training=False)["scores"])
    features = drawn.examples[3][1:].astype(np.float32)
    np.testing.assert_allclose(head(features, training=False), expected, atol=2e-3)


def test_features_are_computed_once(
    folder: RunFolder, collection: Collection, spec: Spec, convolutions: keras.Model,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, _, _, drawn = cut(folder, collection, spec, "voice", convolutions, Training())
    bands = first.get_layer("band_norm").get_weights()
    assert np.abs(bands[2]).max() > 0.01  # adapted to these clips
    compute, calls = frozen._compute, []

    def counted(*arguments: object) -> dict[str, np.ndarray]:
        calls.append(arguments)
        if len(calls) > 1:
            return {"train": np.stack(drawn.examples), "bands": np.stack(bands)}
        return compute(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(frozen, "_compute", counted)
    again, _, _, stored = cut(folder, collection, spec, "voice", convolutions, Training())
    assert not calls
    np.testing.assert_array_equal(np.stack(stored.examples), np.stack(drawn.examples))
    for one, other in zip(again.get_layer("band_norm").get_weights(), bands, strict=True):
        np.testing.assert_array_equal(one, other)
    cache = folder.path / "checkpoint" / "voice.features.npz"
    content = cache.read_bytes()
    cache.write_bytes(content[: len(content) // 2])
    cut(folder, collection, spec, "voice", convolutions, Training())
    assert len(calls) == 1
    cut(folder, collection, spec, "voice", convolutions, Training(time_shift=False))
    assert len(calls) == 2


@pytest.mark.slow
def test_a_training_of_heads(
    collection: Collection, spec: Spec, weights_file: Path, convolutions: keras.Model,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("train.training.examples.MIN_EXAMPLES", 16)
    training = Training(epochs=1, batch_size=8, learning_rate=1e-4, weights=str(weights_file))
    folder = fit(collection, spec, training, tmp_path / "run")
    assert folder.run.training.start == f"{IMAGENET_FILE}, frozen"
    for part in MODALITIES:
        assert (folder.path / "checkpoint" / f"{part}.features.npz").is_file()
        network = load_run(folder.path).load_network(part)
        assert_convolutions(network, convolutions)
