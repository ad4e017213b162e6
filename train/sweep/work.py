"""One row with one seed: training and evaluation, in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_runtime.dataset.collection import Collection
from edge_runtime.errors import VisavoxError
from train.data import noises_in, read_data
from train.models.build import build_network, make_spec
from train.models.registry import family_of
from train.runs.folder import RunFolder, Training, load_run
from train.scoring.evaluate import evaluate, summary
from train.sweep.plan import RESULT, Row, Settings, write_json
from train.training.fit import fit
from train.training.machine import Machine


def run_row(
    settings: Settings, row: Row, seed: int, epochs: int, networks: int = 1
) -> dict[str, Any]:
    """Train (or go on), evaluate, and leave the result in the run folder.

    networks: those of a pair that train at the same time. Returns the result, or {"reason": ...}
    where the row cannot be run.
    """
    try:
        result = _train_and_evaluate(settings, row, seed, epochs, Machine(jobs=networks))
    except VisavoxError as error:
        return {"reason": f"not run: {error}"}
    write_json(settings.folder(row.name, seed) / RESULT, result)
    return result


def _train_and_evaluate(
    settings: Settings, row: Row, seed: int, epochs: int, machine: Machine
) -> dict[str, Any]:
    collection = read_data(settings.data, settings.image_size, seed)
    spec = make_spec(row.family, collection.people.names, settings.image_size)
    training = training_of(settings, row, seed, epochs)
    path = settings.folder(row.name, seed)
    towers = load_run(settings.folder(row.towers, seed)) if row.towers else None
    folder = fit(collection, spec, training, path, resume=(path / "run.json").is_file(),
                 towers=towers, machine=machine)
    result = {
        "row": row.name, "model": row.family, "fusion": row.fusion, "start": training.start,
        "time_shift": row.time_shift, "seed": seed, "epochs": training.epochs,
        "voice_epochs": training.voice_epochs,
        "parameters": count_parameters(folder), "commit": folder.run.commit,
        "wall_s": folder.run.wall_s,
        "data": collection.name, "data_digest": collection.digest,
        "synthetic": folder.run.data is not None and folder.run.data.synthetic,
        "train": _accuracy(folder, collection, "train"),
        "test": _accuracy(folder, collection, "test"), "noisy": None}
    if settings.test_noise:
        result["noisy"] = _accuracy(folder, collection, "test",
                                    noises=noises_in(settings.test_noise),
                                    snr_db=settings.snr_db)
    return result


def training_of(settings: Settings, row: Row, seed: int, epochs: int) -> Training:
    """Of one row. epochs: where the settings name no others for its voice network or its head."""
    family = family_of(row.family)
    voice_epochs = settings.voice_epochs if "voice" in family.parts else None
    if row.frozen and settings.head_epochs:  # of both networks of VGG16's pair
        epochs, voice_epochs = settings.head_epochs, None
    return Training(
        epochs=epochs, voice_epochs=voice_epochs,
        batch_size=settings.batch_size, seed=seed, time_shift=row.time_shift,
        learning_rate=family.learning_rate, weights=row.start(settings.weights),
        noise=str(settings.noise.resolve()) if settings.noise else None)


def _accuracy(
    folder: RunFolder, collection: Collection, split: Any, **noise: Any
) -> Mapping[str, Any]:
    return summary(evaluate(folder, collection, split, fusions=True, **noise), split)


def count_parameters(folder: RunFolder) -> int:
    """Of all networks of a run."""
    spec = folder.run.spec
    return sum(build_network(spec, part).count_params() for part in spec.parts)
