"""What tests run in processes of their own: `tiny` is a family that compiles fast.

    tiny_training.py fit ...             `python -m train fit ...` with short epochs (or sweep ...)
    tiny_training.py killed fit ...      the same, killed once the first epoch's checkpoint is there
    tiny_training.py step FAMILY FILE OPTIMIZER    one step from the weights and on the batch in
                                                   FILE, an npz; `adamw` as in training, or `sgd`

Several of them, with `and` between them, share the seconds that an import takes; a line `and` is
printed between what they print.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from edge_runtime.console.output import silenced_stderr

with silenced_stderr():
    import keras
import numpy as np
from keras import KerasTensor, layers

import train.training.examples
from tests.shallow import shallow_families
from train.cli import main
from train.models import registry
from train.models.build import build_network, make_spec
from train.models.frontend import SpectrogramMasks
from train.models.fusion import Head
from train.models.layers import attention
from train.runs.folder import Training
from train.runs.history import Recorder
from train.training import fit

NAMES = ("anna", "ben", "cleo")
LEARNING_RATE = 1e-3


def tiny(image: KerasTensor) -> KerasTensor:
    """Each kind of layer once: [batch, height, width, channels] -> [batch, 8]."""
    x = layers.Conv2D(8, 3, strides=8, use_bias=False, name="conv")(image)
    x = layers.Activation("relu6")(layers.BatchNormalization(momentum=0.9, name="norm")(x))
    x = layers.Reshape((-1, 8))(x)
    x = x + attention(layers.LayerNormalization(name="token_norm")(x), 2, "attention")
    return layers.GlobalAveragePooling1D(name="pool")(x)


TINY = registry.Pair("tiny", 32, "for tests", features=tiny)
TINY_JOIN = registry._join(TINY, "tiny", "concat", Head((8,), "relu"), frozen=True)


def step(family: str, file: Path, optimizer: str) -> None:
    """Write the loss and the weights after one step beside FILE. Adam's first step is as long for
    small gradients as for large ones, and so shows rounding that plain descent does not."""
    with np.load(file) as arrays:
        batch, labels = arrays["batch"], arrays["labels"]
        weights = [arrays[f"weight{i}"] for i in range(len(arrays.files) - 2)]
    spec = make_spec(family, NAMES, batch.shape[1])
    with shallow_families():
        network = build_network(spec, "face")
    without_chance(network)
    classifier = keras.Model(network.input, network.output["scores"])
    classifier.set_weights(weights)
    training = Training(learning_rate=LEARNING_RATE, warmup_epochs=0)
    fit._compile(classifier, spec, training, training.epochs, steps_per_epoch=100)
    if optimizer == "sgd":
        classifier.compile(keras.optimizers.SGD(0.1), classifier.loss,
                           jit_compile=classifier.jit_compile)
    loss = classifier.train_on_batch(batch, labels, return_dict=True)["loss"]
    found = {f"weight{i}": w for i, w in enumerate(classifier.get_weights())}
    np.savez(file.with_suffix(f".{keras.backend.backend()}.npz"), loss=np.array(loss), **found)


def without_chance(network: keras.Model) -> None:
    """Each backend draws random numbers of its own: dropout and masks do nothing."""
    for layer in network._flatten_layers():
        if isinstance(layer, layers.Dropout):
            layer.rate = 0.0
        if isinstance(layer, SpectrogramMasks):
            layer.num_masks = 0


class KilledRecorder(Recorder):
    """As if somebody pulled the plug."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ in ("__main__", "__mp_main__"):  # and in the processes that it starts
    registry.FAMILIES |= {family.name: family for family in (TINY, TINY_JOIN)}
    train.training.examples.MIN_EXAMPLES = 24


def run(arguments: list[str]) -> int:
    """One of the commands above. Returns its exit code."""
    if arguments[0] == "step":
        step(arguments[1], Path(arguments[2]), arguments[3])
        return 0
    if arguments[0] == "killed":
        fit.Recorder = KilledRecorder
        del arguments[0]
    return main(arguments)


def run_each(arguments: list[str]) -> int:
    """As many as succeed, in turn. Returns the exit code of the last."""
    code, left = 0, list(arguments)
    while left and code == 0:
        end = left.index("and") if "and" in left else len(left)
        code = run(left[:end])
        left = left[end + 1 :]
        if left:
            print("and", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(run_each(sys.argv[1:]))
