"""The recorder: best weights, early stopping, and a checkpoint that survives what may happen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest

from edge_runtime.errors import RunError
from train.models.frontend import SpectrogramMasks
from train.runs.history import Recorder
from train.training.examples import Batches, EpochCounter

Array = npt.NDArray[Any]


def dense_network(*, masks: bool = False, width: int = 8) -> keras.Model:
    """Four numbers in, two people out, compiled."""
    keras.utils.set_random_seed(3)
    data = keras.Input((4,))
    x = data
    if masks:
        x = keras.layers.Reshape((4, 1, 1))(x)
        x = keras.layers.Flatten()(SpectrogramMasks(1, max_frames=2, max_mels=1)(x))
    x = keras.layers.BatchNormalization()(keras.layers.Dense(width, "relu")(x))
    if masks:
        x = keras.layers.Dropout(0.5)(x)
    network = keras.Model(data, keras.layers.Dense(2, "softmax")(x), name="dense")
    schedule = keras.optimizers.schedules.CosineDecay(0.05, 64)
    network.compile(keras.optimizers.AdamW(schedule, weight_decay=0.01),
                    "categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    return network


def jittered(example: Array, rng: np.random.Generator) -> Array:
    return (example + rng.normal(0, 0.3, 4)).astype(np.float32)


def examples() -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    return rng.normal(labels[:, None] * 0.8, 1, (60, 4)).astype(np.float32), labels


def fit(network: keras.Model, recorder: Recorder, epochs: int, first: int = 0) -> None:
    inputs, labels = examples()
    batches = Batches(list(inputs[:40]), labels[:40].tolist(), 2, jittered, batch_size=32, seed=0)
    # With shuffle, Keras would put the batches in an order that Python's own generator draws.
    network.fit(batches, validation_data=(inputs[40:], np.eye(2)[labels[40:]]), shuffle=False,
                initial_epoch=first, epochs=epochs, callbacks=[EpochCounter(batches), recorder],
                verbose=0)


def losses(recorder: Recorder) -> list[float]:
    return [row["loss"] for row in recorder.rows]


class WorseLater(keras.callbacks.Callback):
    """Spoils the validation loss from an epoch on and notes the weights of every epoch."""

    def __init__(self, best: int) -> None:
        super().__init__()
        self.best, self.weights = best, list[list[Array]]()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        assert logs is not None
        logs["val_loss"] = abs(epoch - self.best) + 0.5
        self.weights.append([w.copy() for w in self.model.get_weights()])


def fit_with_best(recorder: Recorder, best: int, epochs: int) -> tuple[keras.Model, WorseLater]:
    network, spoiler = dense_network(), WorseLater(best)
    inputs, labels = examples()
    network.fit(inputs, np.eye(2)[labels], epochs=epochs, verbose=0, callbacks=[spoiler, recorder])
    return network, spoiler


def assert_same(found: list[Array], expected: list[Array], within: float = 0) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=within)


@pytest.mark.parametrize("best", [0, 2])
def test_the_best_weights_are_left_in_the_network(tmp_path: Path, best: int) -> None:
    recorder = Recorder(tmp_path / "face.npz", patience=9)
    network, spoiler = fit_with_best(recorder, best, epochs=4)
    assert (recorder.best_epoch, recorder.best_loss, recorder.epochs_done) == (best, 0.5, 4)
    assert_same(network.get_weights(), spoiler.weights[best])
    assert [row["epoch"] for row in recorder.rows] == [1, 2, 3, 4]
    assert set(recorder.rows[0]) >= {"loss", "accuracy", "val_loss"}


def test_training_stops_early(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "face.npz", patience=2)
    network, spoiler = fit_with_best(recorder, best=1, epochs=9)
    assert recorder.epochs_done == 4 and recorder.finished_early
    assert_same(network.get_weights(), spoiler.weights[1])
    again = Recorder(tmp_path / "face.npz", patience=2)
    again.restore(dense_network())
    assert again.finished_early


def test_a_resumed_training_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    """Weights, optimizer, schedule, batches, dropout and masks: all as in one go."""
    straight, whole = dense_network(masks=True), Recorder(tmp_path / "whole.npz", 9)
    fit(straight, whole, epochs=4)
    checkpoint = tmp_path / "deep" / "face.npz"
    fit(dense_network(masks=True), Recorder(checkpoint, 9), epochs=2)
    resumed, recorder = dense_network(masks=True), Recorder(checkpoint, 9)
    recorder.restore(resumed)
    assert recorder.epochs_done == 2
    fit(resumed, recorder, epochs=4, first=2)
    np.testing.assert_allclose(losses(recorder), losses(whole), atol=1e-6)
    assert recorder.best_epoch == whole.best_epoch
    assert_same(resumed.get_weights(), straight.get_weights(), within=1e-6)
    with np.load(checkpoint) as one, np.load(tmp_path / "whole.npz") as other:
        assert set(one.files) == set(other.files)
        for name in set(one.files) - {"state"}:
            np.testing.assert_allclose(one[name], other[name], atol=1e-6)


def test_without_a_checkpoint_nothing_is_restored(tmp_path: Path) -> None:
    network, recorder = dense_network(), Recorder(tmp_path / "face.npz", 9)
    before = network.get_weights()
    recorder.restore(network)
    assert recorder.epochs_done == 0 and not recorder.finished_early
    assert_same(network.get_weights(), before)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A checkpoint of the plain dense network."""
    folder = tmp_path_factory.mktemp("checkpoint")
    fit(dense_network(), Recorder(folder / "face.npz", 9), epochs=1)
    assert [path.name for path in folder.iterdir()] == ["face.npz"]
    return (folder / "face.npz").read_bytes()


@pytest.fixture
def checkpoint(tmp_path: Path, written: bytes) -> Path:
    (tmp_path / "face.npz").write_bytes(written)
    return tmp_path / "face.npz"


def refusal(checkpoint: Path, network: keras.Model | None = None) -> str:
    with pytest.raises(RunError) as caught:
        Recorder(checkpoint, 9).restore(network or dense_network())
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{checkpoint}: the checkpoint is damaged or of another model (")
    assert message.endswith("); delete it to start this network again")
    return message


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_checkpoint_is_refused(checkpoint: Path, share: float) -> None:
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content[: int(share * len(content))])
    refusal(checkpoint)


def test_a_checkpoint_with_changed_bytes_is_refused(checkpoint: Path) -> None:
    content = bytearray(checkpoint.read_bytes())
    with np.load(checkpoint) as file:
        values = file["weight0"].tobytes()
    place = content.index(values)
    content[place : place + len(values)] = bytes(len(values))
    checkpoint.write_bytes(content)
    refusal(checkpoint)


def test_what_is_no_checkpoint_is_refused(checkpoint: Path) -> None:
    checkpoint.write_text("no checkpoint")
    refusal(checkpoint)
    with checkpoint.open("wb") as file:
        np.savez(file, something=np.zeros(3))
    refusal(checkpoint)


def test_a_checkpoint_of_another_model_is_refused(checkpoint: Path) -> None:
    refusal(checkpoint, dense_network(width=9))
    refusal(checkpoint, dense_network(masks=True))


# The child writes a checkpoint, then runs into a limit of the operating system on the size of
# files while it writes the next one: the same OSError path as a full disk.
FULL_DISK = """
import json, resource, sys
from pathlib import Path
import keras, numpy as np
from edge_runtime.errors import RunError
from train.runs.history import Recorder

checkpoint = Path(sys.argv[1])
network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2000), keras.layers.Dense(1)])
network.compile("sgd", "mse", jit_compile=False)
recorder = Recorder(checkpoint, 9)
recorder.set_model(network)
recorder.on_epoch_end(0, {"loss": 1.0, "val_loss": 1.0})
whole = checkpoint.read_bytes()
network.set_weights([w + 1 for w in network.get_weights()])
message = None
for limit in map(int, sys.argv[2:]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        recorder.on_epoch_end(1, {"loss": 0.5, "val_loss": 0.5})
    except RunError as error:
        message = str(error)
    assert checkpoint.read_bytes() == whole
    again = Recorder(checkpoint, 9)
    again.restore(network)
    assert again.rows == [{"epoch": 1, "loss": 1.0, "val_loss": 1.0}]
files = sorted(path.name for path in checkpoint.parent.iterdir())
print(json.dumps({"message": message, "files": files}))
"""


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    checkpoint = tmp_path / "face.npz"
    child = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(checkpoint), "0", "100", "5000", "70000"],
        cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    found = json.loads(child.stdout)
    assert found["files"] == ["face.npz"]
    assert found["message"] == (f"{checkpoint}: cannot write the checkpoint (File too large); make "
                                "room and go on with --resume")


@pytest.mark.parametrize("logs", [{"loss": float("nan"), "val_loss": 1.0},
                                  {"loss": float("inf"), "val_loss": 1.0},
                                  {"loss": 1.0, "val_loss": float("nan")}])
def test_a_loss_that_is_no_number_ends_the_training(
    tmp_path: Path, logs: dict[str, float]
) -> None:
    recorder = Recorder(tmp_path / "face.npz", 9)
    recorder.set_model(dense_network())
    with pytest.raises(RunError) as caught:
        recorder.on_epoch_end(4, logs)
    assert str(caught.value) == (
        f"dense, epoch 5: the loss is {logs['loss']} and {logs['val_loss']} in validation; train "
        "with a lower --learning-rate")
    assert not (tmp_path / "face.npz").exists()
