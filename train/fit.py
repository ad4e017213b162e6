"""One training: a pair of networks on the people of a collection."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
import numpy.typing as npt

from edge_runtime.collection import Collection
from edge_runtime.errors import PeopleError, RunError
from edge_runtime.face import square_face
from edge_runtime.people import MODALITIES, Modality, Sample, Split
from edge_runtime.voice import Sound, read_noises, speech_window
from train.augment import augment_clip, augment_face
from train.batches import Batches, EpochCounter
from train.curves import Rows, draw_curves, save_history
from train.models.build import build_network
from train.recorder import Recorder
from train.run import (
    FORMAT,
    Data,
    Run,
    RunFolder,
    Training,
    git_commit,
    load_run,
    save_run,
    save_split,
    versions,
)
from train.spec import Spec


def fit(
    collection: Collection, spec: Spec, training: Training, out: Path, *, resume: bool = False
) -> RunFolder:
    """Train both networks one after the other and leave a run folder.

    With `resume`, a run that was stopped goes on after its last whole epoch. Raises RunError if
    `out` holds another run.
    """
    root = collection.people.root
    data = Data(root=str(root.resolve()), digest=collection.digest,
                synthetic=is_synthetic(collection), problems=collection.problems)
    run = Run(format=FORMAT, spec=spec, training=training, data=data, versions=versions(),
              commit=git_commit(), wall_s=None)
    folder = _open_folder(out, run, resume)
    save_split(out / "split.csv", collection.people)
    noises = read_noises(Path(training.noise)) if training.noise else []
    start = time.monotonic()
    histories: dict[str, Rows] = {}
    for modality in MODALITIES:
        print(f"\n{spec.family}, {modality} network, {spec.num_people} people", flush=True)
        recorder = _fit_network(collection, spec, training, modality, noises, folder)
        histories[modality] = recorder.rows
        save_history(out / f"{modality}.history.csv", recorder.rows)
    draw_curves(out / "curves.png", histories)
    wall_s = round(time.monotonic() - start, 1)
    return save_run(out, msgspec.structs.replace(run, wall_s=wall_s))


def init(spec: Spec, out: Path, seed: int) -> RunFolder:
    """A run folder of untrained networks: right in size and latency, at chance in accuracy."""
    run = Run(format=FORMAT, spec=spec, training=Training(seed=seed), data=None,
              versions=versions(), commit=git_commit(), wall_s=None)
    folder = _open_folder(out, run, resume=False)
    for modality in MODALITIES:
        keras.utils.set_random_seed(seed)
        build_network(spec, modality).save_weights(folder.weights(modality))
    return folder


def is_synthetic(collection: Collection) -> bool:
    """Whether all people were made by `python -m train synth`."""
    return all(name.startswith("synthetic_") for name in collection.people.names)


def _open_folder(out: Path, run: Run, resume: bool) -> RunFolder:
    if not (out / "run.json").is_file():
        if out.is_dir() and any(out.iterdir()):
            raise RunError(f"{out}: expected an empty or a new folder, found files; name another")
        return save_run(out, run)
    before = load_run(out).run
    if not resume:
        raise RunError(f"{out}: there is a run already; go on with --resume, or name another "
                       "folder")
    same = [(before.spec, run.spec), (before.training, run.training),
            (before.data and before.data.digest, run.data and run.data.digest)]
    for what, (old, new) in zip(("model", "training options", "data"), same, strict=True):
        if old != new:
            raise RunError(f"{out}: the {what} differ from those the run was begun with; resume "
                           "with the same ones, or name another folder")
    return RunFolder(out, run)


def _fit_network(
    collection: Collection, spec: Spec, training: Training, modality: Modality,
    noises: list[Sound], folder: RunFolder,
) -> Recorder:
    keras.utils.set_random_seed(training.seed * len(MODALITIES) + MODALITIES.index(modality))
    batches = _training_batches(collection, spec, training, modality, noises)
    network = build_network(spec, modality)
    classifier = keras.Model(network.input, network.output["scores"], name=network.name)
    _compile(classifier, training, steps_per_epoch=len(batches))
    recorder = Recorder(folder.path / "checkpoint" / f"{modality}.npz", training.patience)
    recorder.restore(classifier)
    if recorder.epochs_done < training.epochs and not recorder.finished_early:
        classifier.fit(
            batches, validation_data=_validation_data(collection, spec, modality),
            initial_epoch=recorder.epochs_done, epochs=training.epochs,
            callbacks=[EpochCounter(batches), recorder], verbose="auto",
            shuffle=False)  # the batches are drawn in random order by their own seed
    classifier.set_weights(recorder.best_weights)
    network.save_weights(folder.weights(modality))
    return recorder


def _compile(network: keras.Model, training: Training, steps_per_epoch: int) -> None:
    warmup = min(training.warmup_epochs, training.epochs - 1)
    schedule = keras.optimizers.schedules.CosineDecay(
        training.learning_rate / 100, (training.epochs - warmup) * steps_per_epoch, alpha=0.01,
        warmup_target=training.learning_rate, warmup_steps=warmup * steps_per_epoch)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=training.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing)
    # XLA on the CPU compiles for long and then runs at a third of the speed of oneDNN.
    jit = "auto" if keras.backend.backend() == "jax" else False
    network.compile(optimizer, loss, metrics=["accuracy"], jit_compile=jit)
    optimizer.build(network.trainable_variables)  # or TensorFlow traces the first step twice


def _files(collection: Collection, modality: Modality) -> dict[Sample, npt.NDArray[Any]]:
    return dict(collection.faces) if modality == "face" else dict(collection.clips)


def _labels(samples: tuple[Sample, ...], names: tuple[str, ...]) -> list[int]:
    place = {name: i for i, name in enumerate(names)}
    return [place[s.person] for s in samples]


def _training_batches(
    collection: Collection, spec: Spec, training: Training, modality: Modality,
    noises: list[Sound],
) -> Batches:
    samples = collection.people.of(modality, "train")
    files = _files(collection, modality)
    if modality == "face":
        augment = functools.partial(_face_view, spec.image_size)
    else:
        augment = functools.partial(_clip_view, noises)
    return Batches([files[s] for s in samples], _labels(samples, spec.people), spec.num_people,
                   augment, batch_size=training.batch_size, seed=training.seed)


def _face_view(
    size: int, face: npt.NDArray[np.uint8], rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    return augment_face(face, size, rng)


def _clip_view(noises: list[Sound], clip: Sound, rng: np.random.Generator) -> Sound:
    return augment_clip(clip, noises, rng)


def network_inputs(
    collection: Collection, spec: Spec, modality: Modality, split: Split
) -> tuple[tuple[Sample, ...], npt.NDArray[np.float32]]:
    """The files of a split as the device would feed them: samples, and inputs [n, ...]."""
    samples = collection.people.of(modality, split)
    if modality == "face":
        faces = [square_face(collection.faces[s], spec.image_size) for s in samples]
        return samples, np.stack(faces).astype(np.float32)
    return samples, np.stack([speech_window(collection.clips[s]) for s in samples])


def _validation_data(
    collection: Collection, spec: Spec, modality: Modality
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    if not collection.people.of(modality, "validation"):
        raise PeopleError(f"{collection.people.root}: expected {modality} files to validate on, "
                          "found none; give somebody at least 3 files of it")
    samples, inputs = network_inputs(collection, spec, modality, "validation")
    return inputs, np.eye(spec.num_people, dtype=np.float32)[_labels(samples, spec.people)]
