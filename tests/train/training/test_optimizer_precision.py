"""16 bits in the layers, float32 in the weights and wherever rounding would show."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import keras
import numpy as np
import pytest

from edge_runtime.dataset.collection import Collection
from edge_runtime.errors import RunError
from tests.shallow import shallow_families
from tests.train.training.tiny_training import TINY
from train.data import read_data
from train.models import registry
from train.models.build import build_network, make_spec
from train.models.frontend import LAYER_NAME
from train.models.fusion import BAND_NORM
from train.models.registry import FAMILIES, Part
from train.runs.folder import Precision, RunFolder, Training, load_run
from train.training.fit import fit
from train.training.optimizer import built_in

SIXTEEN_BITS: tuple[Precision, ...] = ("bfloat16", "float16")


@pytest.fixture(scope="module")
def collection(small_people: Path) -> Generator[Collection, None, None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.FAMILIES, "tiny", TINY)
        patch.setattr("train.training.examples.MIN_EXAMPLES", 24)
        yield read_data(small_people, 64, seed=0)


@pytest.fixture(scope="module")
def in_float16(collection: Collection, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A whole training; only to be read."""
    return trained(collection, tmp_path_factory.mktemp("float16") / "run", "float16")


def trained(
    collection: Collection, out: Path, precision: Precision, resume: bool = False
) -> RunFolder:
    training = Training(epochs=2, batch_size=4, precision=precision)
    return fit(collection, make_spec("tiny", collection.people.names, 64), training, out,
               resume=resume)


def networks(families: list[str]) -> list[tuple[str, Part]]:
    return [(name, part) for name in families for part in FAMILIES[name].parts]


@pytest.mark.parametrize("precision", SIXTEEN_BITS)
@pytest.mark.parametrize(("family", "part"), [
    *networks(["mobilevit_xxs_edge", "mobilevit_xxs_edge_frozen_concat"]),
    *(pytest.param(*network, marks=pytest.mark.slow) for network in networks(
        [name for name in FAMILIES if not name.startswith("mobilevit_xxs_edge")]))])
def test_what_stays_float32(family: str, part: Part, precision: Precision) -> None:
    with built_in(precision), shallow_families():
        network = build_network(make_spec(family, ("anna", "ben"), 64), part)
    names = {layer.name for layer in network.layers}
    expected = {"scores", "embedding", *({"scale"} if part != "voice" else ()),
                *({LAYER_NAME, BAND_NORM} if part != "face" else ())}
    assert names >= expected
    for name in expected:
        layer = network.get_layer(name)
        assert layer.compute_dtype == layer.output.dtype == "float32", name
    assert {output.dtype for output in network.output.values()} == {"float32"}
    assert all(weight.dtype != precision for weight in network.weights)
    inner = [layer for layer in network._flatten_layers() if layer.weights]
    assert any(layer.compute_dtype == precision for layer in inner)


def test_levels_stay_float32() -> None:
    """What comes before the front end has no name: its operations are looked at by their type."""
    with built_in("float16"):
        network = build_network(make_spec("mobilevit_xxs_edge", ("anna", "ben"), 64), "voice")
    before = keras.Model(network.input, network.get_layer(LAYER_NAME).output)
    found = {output.dtype for operation in before.operations for node in operation._inbound_nodes
             for output in node.output_tensors}
    assert found == {"float32"}


def test_the_embedding_has_length_one() -> None:
    """In 16 bits, its length would be off by 1e-3."""
    with built_in("bfloat16"):
        network = build_network(make_spec("mobilevit_xxs_edge", ("anna", "ben"), 64), "face")
    faces = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    outputs = network.predict_on_batch(faces)
    np.testing.assert_allclose(np.linalg.norm(outputs["embedding"], axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.sum(outputs["scores"], axis=1), 1, atol=1e-5)


def test_the_policy_is_put_back() -> None:
    before = keras.config.dtype_policy()
    with pytest.raises(RunError), built_in("float16"):
        assert keras.config.dtype_policy().name == "mixed_float16"
        raise RunError("on the way")
    assert keras.config.dtype_policy() == before


@pytest.mark.slow
def test_an_epoch_in_each_precision(
    collection: Collection, in_float16: RunFolder, tmp_path: Path
) -> None:
    """Compared in validation: in training, TensorFlow draws other dropout for other types."""
    losses = {}
    folders = {"float16": in_float16}
    for precision in ("float32", *SIXTEEN_BITS):
        folder = folders.get(precision) or trained(collection, tmp_path / precision, precision)
        assert load_run(folder.path).run.training.precision == precision
        with np.load(folder.path / "checkpoint" / "voice.npz") as file:
            arrays = {name: file[name] for name in file.files}
        state = str(arrays.pop("state"))
        assert not [name for name, values in arrays.items() if values.dtype == np.float16]
        assert "NaN" not in state
        for part in ("face", "voice"):
            network = folder.load_network(part)
            assert all(layer.compute_dtype == "float32" for layer in network.layers)
        rows = (folder.path / "face.history.csv").read_text().splitlines()
        values = dict(zip(rows[0].split(","), map(float, rows[1].split(",")), strict=True))
        losses[precision] = values["val_loss"]
    assert losses["bfloat16"] == pytest.approx(losses["float32"], abs=0.02)
    assert losses["float16"] == pytest.approx(losses["float32"], abs=0.02)


@pytest.mark.slow
def test_float16_is_scaled_and_resumes(
    collection: Collection, in_float16: RunFolder, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from train.runs.history import Recorder
    from train.training import fit

    class Stop(Exception):
        """In the place of a crash."""

    class StoppedRecorder(Recorder):
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            super().on_epoch_end(epoch, logs)
            assert type(self.model.optimizer).__name__ == "LossScaleOptimizer"
            raise Stop

    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(fit, "Recorder", StoppedRecorder)
        trained(collection, tmp_path / "run", "float16")
    resumed = trained(collection, tmp_path / "run", "float16", resume=True)
    for part in ("face", "voice"):
        pairs = zip(resumed.load_network(part).get_weights(),
                    in_float16.load_network(part).get_weights(), strict=True)
        for one, other in pairs:
            np.testing.assert_allclose(one, other, atol=1e-5)
