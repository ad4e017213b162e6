"""One training: a pair of networks on the people of a collection."""

from __future__ import annotations

import functools
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from edge_runtime.console.terminal import bare_output
from edge_runtime.dataset.collection import Collection
from edge_runtime.errors import PeopleError, UsageError
from edge_runtime.modalities import MODALITIES
from edge_runtime.signals.voice import Sound
from train.data import noises_in, read_data, without_people
from train.models.build import Spec, build_network
from train.models.fusion import copy_towers
from train.models.registry import Part, family_of
from train.pretrained.transfer import Source, read_source
from train.runs.folder import (
    FORMAT,
    Data,
    Run,
    RunFolder,
    Training,
    git_commit,
    load_run,
    open_run,
    save_run,
    save_split,
    versions,
)
from train.runs.history import Recorder, Rows, draw_curves, save_history
from train.training.examples import EpochCounter, training_batches, validation_data
from train.training.frozen import frozen_head, read_convolutions
from train.training.jobs import fit_at_once
from train.training.machine import ONE_DEVICE, Machine
from train.training.optimizer import AdamW, built_in, loss_of
from train.training.progress import EpochLines, Throughput

VALIDATION_BATCH = 32  # per device


@dataclass(frozen=True)
class Start:
    """Weights from elsewhere: a trained pair, another run of the family, ImageNet's."""

    towers: RunFolder | None
    source: Source | None
    convolutions: keras.Model | None


def fit(
    collection: Collection, spec: Spec, training: Training, out: Path, *, resume: bool = False,
    towers: RunFolder | None = None, left_out: tuple[str, ...] = (),
    machine: Machine = ONE_DEVICE,
) -> RunFolder:
    """Train the networks and leave a run folder.

    With `resume`, a run that was stopped goes on after its last whole epoch. towers: the trained
    pair that a fusion of frozen networks joins. left_out: who was taken out of the collection.
    Raises RunError if `out` holds another run.
    """
    machine.check(training.batch_size)
    _check_towers(spec, towers)
    _check_people(collection)
    start = Start(towers, read_source(spec, training), read_convolutions(spec, training))
    root = collection.people.root
    data = Data(root=str(root.resolve()), digest=collection.digest,
                synthetic=is_synthetic(collection), problems=collection.problems,
                split_seed=collection.people.seed, left_out=left_out)
    run = Run(format=FORMAT, spec=spec, training=training, data=data, versions=versions(),
              commit=git_commit(), wall_s=None)
    folder = open_run(out, run, resume)
    save_split(out / "split.csv", collection.people)
    histories: Mapping[Part, Rows]
    at_once = machine.jobs > 1 and len(spec.parts) > 1
    noises = noises_in(Path(training.noise)) if training.noise else []
    if at_once:
        histories = fit_at_once(
            out, spec.parts, machine.jobs,
            fit_here=lambda part: _fit_part(folder, collection, part, noises, start, machine,
                                            EpochLines(part)),
            fit_there=functools.partial(continue_part, out, towers.path if towers else None,
                                        machine.workers))
    else:
        histories = {part: _fit_part(folder, collection, part, noises, start, machine)
                     for part in spec.parts}
    draw_curves(out / "curves.png", histories)
    # Checkpoints of before 2026-11-25 have no seconds.
    epochs_s = [sum(row.get("seconds", 0.0) for row in rows) for rows in histories.values()]
    return save_run(out, replace(run, wall_s=round(max(epochs_s) if at_once else sum(epochs_s), 1)))


def continue_part(path: Path, towers: Path | None, workers: int, part: Part) -> Rows:
    """Train one network of a run that `fit` has begun, on the data that the run names."""
    folder = load_run(path)
    spec, training, data = folder.run.spec, folder.run.training, folder.run.data
    assert data is not None, "only trained runs are begun by fit"
    collection = without_people(
        read_data(Path(data.root), spec.image_size, folder.run.split_seed), data.left_out)
    start = Start(load_run(towers) if towers else None, read_source(spec, training),
                  read_convolutions(spec, training))
    noises = noises_in(Path(training.noise)) if training.noise else []
    return _fit_part(folder, collection, part, noises, start, Machine(workers=workers),
                     EpochLines(part))


def _fit_part(
    folder: RunFolder, collection: Collection, part: Part, noises: list[Sound], start: Start,
    machine: Machine, display: keras.callbacks.Callback | None = None,
) -> Rows:
    spec, training = folder.run.spec, folder.run.training
    print(f"\n{spec.family}, {part} network, {spec.num_people} people, {training.start}",
          flush=True)
    if display is None and not sys.stdout.isatty():
        display = EpochLines(part)
    with machine.shared():
        recorder = _fit_network(collection, spec, training, part, noises, folder, start, machine,
                                display)
    save_history(folder.path / f"{part}.history.csv", recorder.rows)
    return recorder.rows


def _check_people(collection: Collection) -> None:
    counts = Counter((s.person, s.modality) for s in collection.people.samples)
    for person in collection.people.names:
        for modality in MODALITIES:
            if (found := counts[person, modality]) < 2:
                raise PeopleError(f"{collection.people.root}: expected at least 2 {modality} files "
                                  f"of everybody, to train on and to test, found {found} of "
                                  f"{person}; add files or leave them out (--leave-out-people)")


def _check_towers(spec: Spec, towers: RunFolder | None) -> None:
    wanted = family_of(spec.family).towers
    if wanted is None and towers is not None:
        raise UsageError(f"{spec.family} is trained as a whole; leave out --towers")
    if wanted is None:
        return
    if towers is None or towers.run.spec.family != wanted:
        found = towers.run.spec.family if towers else "none"
        raise UsageError(f"{spec.family} joins a trained pair: expected --towers RUN with a run of "
                         f"{wanted}, found {found}")
    if (towers.run.spec.people, towers.run.spec.image_size) != (spec.people, spec.image_size):
        raise UsageError(f"{towers.path}: the pair was trained on other people or another image "
                         "size; train it on the same data first")


def is_synthetic(collection: Collection) -> bool:
    """Whether all people were made by `python -m train synth`."""
    return all(name.startswith("synthetic_") for name in collection.people.names)


def _fit_network(
    collection: Collection, spec: Spec, training: Training, part: Part,
    noises: list[Sound], folder: RunFolder, start: Start, machine: Machine,
    display: keras.callbacks.Callback | None,
) -> Recorder:
    keras.utils.set_random_seed(training.seed * len(spec.parts) + spec.parts.index(part))
    batches = training_batches(collection, spec, training, part, noises, machine.workers)
    machine.check(batches.batch_size)
    with built_in(training.precision):
        network = build_network(spec, part)
        classifier = keras.Model(network.input, network.output["scores"], name=network.name)
    if start.source:
        start.source.give_to(network, part, spec.people)
    if start.towers:
        copy_towers(network, start.towers.load_network("face"), start.towers.load_network("voice"))
    if start.convolutions:
        classifier, batches, validation = frozen_head(
            network, start.convolutions, collection, spec, training, part, batches, folder)
    else:
        validation = validation_data(collection, spec, part)
    epochs = training.epochs_of(part)
    _compile(classifier, spec, training, epochs, steps_per_epoch=len(batches))
    recorder = Recorder(folder.path / "checkpoint" / f"{part}.npz", training.patience)
    recorder.restore(classifier)
    throughput = Throughput(batches)
    if recorder.epochs_done < epochs and not recorder.finished_early:
        with bare_output():  # for Keras' progress bar
            classifier.fit(
                batches, validation_batch_size=machine.devices * VALIDATION_BATCH,
                validation_data=machine.divisible(*validation),
                initial_epoch=recorder.epochs_done, epochs=epochs,
                callbacks=[EpochCounter(batches), throughput, recorder,
                           *([display] if display else [])],
                verbose=0 if display else "auto",
                shuffle=False)  # the batches are drawn in random order by their own seed
        print(f"{part}: {throughput.line()}" if display else throughput.line(), flush=True)
    classifier.set_weights(recorder.best_weights)
    network.save_weights(folder.weights(part))
    return recorder


def _compile(
    network: keras.Model, spec: Spec, training: Training, epochs: int, steps_per_epoch: int
) -> None:
    warmup = min(training.warmup_epochs, epochs - 1)
    schedule = keras.optimizers.schedules.CosineDecay(
        training.learning_rate / 100, (epochs - warmup) * steps_per_epoch, alpha=0.01,
        warmup_target=training.learning_rate, warmup_steps=warmup * steps_per_epoch)
    # Clipped, because at these rates a few batches threw the voice network back by ten epochs.
    optimizer = AdamW(schedule, weight_decay=training.weight_decay,
                      global_clipnorm=training.clip_norm)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "scale", "table"])
    # XLA on the CPU compiles for long and then runs at a third of the speed of oneDNN.
    jit = "auto" if keras.backend.backend() == "jax" else False
    network.compile(optimizer, loss_of(spec, training), metrics=["accuracy"], jit_compile=jit)
    # Or TensorFlow traces the first step twice. For float16 it is one around the optimizer above.
    network.optimizer.build(network.trainable_variables)
    _build_figures(network)


def _build_figures(network: keras.Model) -> None:
    """Make what loss and metrics keep. On JAX, Keras would draw a batch of the first epoch for it,
    and what its threads had drawn beside would come before the batches of each epoch from then
    on: another training than on TensorFlow, and not the same one after --resume."""
    rows = np.full((1, network.output.shape[-1]), 1 / network.output.shape[-1], np.float32)
    network.compute_loss(None, rows, rows)
    network.compute_metrics(None, rows, rows)
    network.reset_metrics()
