"""Heads on frozen ImageNet convolutions: what these answer is computed once and stored.

A convolution of VGG16 costs a thousand times its head. So each training file is augmented a fixed
number of times, the convolutions' answers to all views are kept beside the run's checkpoint, and
an epoch draws one view of each file.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from edge_runtime.dataset.collection import Collection
from edge_runtime.errors import RunError, UsageError
from train.models import vgg
from train.models.build import Spec
from train.models.fusion import BAND_NORM
from train.models.registry import Part, family_of
from train.runs.folder import IMAGENET, RunFolder, Training
from train.training.examples import Array, Batches, Inputs, network_inputs, stacked, validation_data

VIEWS = 4  # of each training file
CHUNK = 8  # files at once: the first convolutions' answers are large
IMAGENET_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
IMAGENET_URL = "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/" + IMAGENET_FILE

Features = npt.NDArray[np.float16]


def read_convolutions(spec: Spec, training: Training) -> keras.Model | None:
    """keras.applications' VGG16 with the weights that `training` names; None where all train.

    UsageError for a family that takes none, RunError where the file is missing or another.
    """
    if training.weights is None:
        return None
    if family_of(spec.family).frozen_at is None:
        raise UsageError(f"{spec.family} takes no --weights, only vgg16 does; MobileViT starts "
                         "from 'python -m train import-weights'")
    if training.weights != IMAGENET and not Path(training.weights).is_file():
        raise RunError(f"--weights expects {IMAGENET}, none or a file, found no file "
                       f"'{training.weights}'")
    try:
        return keras.applications.VGG16(weights=training.weights, include_top=False)
    except Exception as error:  # Keras raises plain Exception where a download fails
        _, _, cause = f" -- {error}".rpartition(" -- ")  # before it Keras repeats the address
        reason = " ".join(cause.split())[:200]
    if training.weights != IMAGENET:
        raise RunError(f"{training.weights}: expected keras.applications' VGG16 without its top "
                       f"({IMAGENET_FILE}), found another or a damaged file ({reason})")
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")) / "models"
    raise RunError(f"--weights {IMAGENET}: cannot be downloaded here ({reason}); fetch "
                   f"{IMAGENET_URL} elsewhere and put it into {home}, or name it: --weights FILE")


def frozen_head(
    network: keras.Model, convolutions: keras.Model, collection: Collection, spec: Spec,
    training: Training, part: Part, batches: Batches, folder: RunFolder,
) -> tuple[keras.Model, Batches, tuple[Inputs, Array]]:
    """The network's head as a network of its own, with batches and validation data of features.

    `network` has the convolutions' weights afterwards; the head shares its layers with it.
    batches: of the whole network, augmented.
    """
    vgg.assign_imagenet(network, convolutions)
    inputs, targets = validation_data(collection, spec, part)
    cache = folder.path / "checkpoint" / f"{part}.features.npz"
    key = _key(collection, spec, training, part, convolutions)
    stored = _read(cache, key)
    if stored is None:
        stored = _compute(network, collection, spec, part, batches)
        stored["validation"] = _extractor(network, spec).predict(inputs, CHUNK * VIEWS, verbose=0)
        _write(cache, stored | {"key": np.array(key)})
    if part == "voice":
        network.get_layer(BAND_NORM).set_weights(list(stored["bands"]))
    head = keras.Model(_cut(network, spec), network.output["scores"], name=network.name)
    drawn = Batches(list(stored["train"]), np.argmax(batches.targets, axis=1).tolist(),
                    spec.num_people, _any_view, batch_size=training.batch_size, seed=training.seed)
    return head, drawn, (stored["validation"].astype(np.float32), targets)


def _cut(network: keras.Model, spec: Spec) -> keras.KerasTensor:
    return network.get_layer(family_of(spec.family).frozen_at).output


def _extractor(network: keras.Model, spec: Spec) -> keras.Model:
    return keras.Model(network.input, _cut(network, spec))


def _any_view(views: Features, rng: np.random.Generator) -> Array:
    return views[rng.integers(len(views))].astype(np.float32)


def _compute(
    network: keras.Model, collection: Collection, spec: Spec, part: Part, batches: Batches
) -> dict[str, np.ndarray]:
    """train: features [files, VIEWS, dim], float16; for a voice, `bands`: the band norm's weights.
    """
    stored: dict[str, np.ndarray] = {}
    if part == "voice":
        bands = network.get_layer(BAND_NORM)
        _adapt(bands, network, network_inputs(collection, spec, "voice", "train")[1])
        bands.trainable = False  # or it would go on adapting below
        stored["bands"] = np.stack(bands.get_weights())
    extractor, examples = _extractor(network, spec), batches.examples
    bar = keras.utils.Progbar(len(examples), unit_name="file")
    rows = []
    for start in range(0, len(examples), CHUNK):
        chosen = range(start, min(start + CHUNK, len(examples)))
        views = stacked([
            batches.augment(examples[i], np.random.default_rng([batches.seed, view, i]))
            for i in chosen for view in range(VIEWS)])
        # In training mode, for the spectrogram's masks.
        features = ops.convert_to_numpy(extractor(views, training=True)).astype(np.float16)
        rows.append(features.reshape(len(chosen), VIEWS, -1))
        bar.update(chosen.stop)
    stored["train"] = np.concatenate(rows)
    return stored


def _adapt(bands: keras.Layer, network: keras.Model, clips: Array) -> None:
    """Give the band norm the mean and variance of each band that training would have found."""
    spectrograms = keras.Model(network.input, bands.input).predict(clips, verbose=0)
    gamma, beta, _, _ = bands.get_weights()
    bands.set_weights([gamma, beta, spectrograms.mean(axis=(0, 1, 3)),
                       spectrograms.var(axis=(0, 1, 3))])


def _key(
    collection: Collection, spec: Spec, training: Training, part: Part, convolutions: keras.Model
) -> str:
    """Of everything that the features hang on."""
    whole = hashlib.sha256(repr((
        collection.digest, spec.people, spec.image_size, part, training.seed, training.noise,
        training.time_shift, VIEWS)).encode())
    for weight in convolutions.get_weights():
        whole.update(weight.tobytes())
    return whole.hexdigest()


def _read(cache: Path, key: str) -> dict[str, np.ndarray] | None:
    """What is stored under the key; None where nothing is, or the file is damaged."""
    try:
        with np.load(cache) as file:
            if str(file["key"]) != key:
                return None
            return {name: file[name] for name in file.files if name != "key"}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(cache: Path, arrays: dict[str, np.ndarray]) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    partial = cache.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # names of arrays, not an option
        partial.replace(cache)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise RunError(f"{cache}: cannot store the features ({error.strerror}); make room and go "
                       "on with --resume") from None
