"""How well a run's networks tell people apart, column by column."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge_runtime.dataset.collection import Collection
from edge_runtime.dataset.people import Sample, Split, all_combinations, test_pairs
from edge_runtime.decision.scoring import fuse, product
from edge_runtime.errors import PeopleError
from edge_runtime.evaluation.accuracy import Pair, PairScores, fused_pairs, noisy, score_pairs
from edge_runtime.modalities import MODALITIES, Modality
from edge_runtime.signals.voice import Sound
from train.data import without_people
from train.runs.folder import RunFolder
from train.training.examples import network_inputs, pair_batches

ACCURACY_COLUMNS = ("face", "voice", "ensemble", "product", "scaled", "fused")
"""`ensemble` is the plain sum, `product` multiplies the scores, `scaled` the same after score
scaling."""

EAGER_BATCH, FEW = 32, 160  # files


def network_scores(
    network: keras.Model, collection: Collection, folder: RunFolder, modality: Modality,
    split: Split,
) -> dict[Sample, np.ndarray]:
    """Each file's scores [people] by the Keras network."""
    samples, inputs = network_inputs(collection, folder.run.spec, modality, split)
    return dict(zip(samples, _scores(network, inputs), strict=True))


def _scores(network: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Scores [n, people] of n inputs. To make a graph of mobilevit_xxs_edge takes 1.6 s on two
    cores, 40 files without one 0.4 s: few files are faster without."""
    if len(inputs) > FEW:
        return network.predict(inputs, verbose=0)["scores"]
    batches = np.split(inputs, range(EAGER_BATCH, len(inputs), EAGER_BATCH))
    return np.concatenate([keras.ops.convert_to_numpy(network(batch, training=False)["scores"])
                           for batch in batches])


def fused_scores(
    network: keras.Model, collection: Collection, folder: RunFolder, pairs: Sequence[Pair]
) -> np.ndarray:
    """Each pair's scores [pairs, people] by a fused Keras network."""
    return np.concatenate([
        np.asarray(network.predict_on_batch(inputs)["scores"])
        for _, inputs in pair_batches(collection, folder.run.spec, pairs)])


def evaluate(
    folder: RunFolder, collection: Collection, split: Split = "test",
    *, noises: list[Sound] | None = None, snr_db: float | None = None, fusions: bool = False,
) -> PairScores:
    """Score every test pair; with `noises`, the clips have noise added at `snr_db`.

    With `fusions`, a pair gets the columns `product` and `scaled` too, the scaling fitted on
    validation. People whom the run left out are ignored. Raises PeopleError where the data holds
    others whom the run has not seen, or no pairs.
    """
    names = folder.run.spec.people
    if folder.run.data:
        collection = without_people(collection, folder.run.data.left_out)
    shown = {s.person for s in collection.people.samples if s.split == split}
    if unseen := sorted((shown | set(collection.people.names)) - set(names)):
        raise PeopleError(f"{collection.people.root}: {len(unseen)} people unknown to the run "
                          f"({', '.join(unseen[:3])}); evaluate on the people it was trained on")
    pairs = test_pairs(collection.people, split)
    if not pairs:
        raise PeopleError(f"{collection.people.root}: no person has both a face and a clip in the "
                          f"split '{split}'")
    if noises and snr_db is not None:
        collection = replace(collection, clips={
            s: noisy(s, clip, noises, snr_db) if s.split == split else clip
            for s, clip in collection.clips.items()})
    if folder.run.spec.parts == ("fused",):
        network = folder.load_network("fused")
        return fused_pairs(pairs, names, fused_scores(network, collection, folder, pairs))
    networks = {modality: folder.load_network(modality) for modality in MODALITIES}

    def scored(pairs: Sequence[Pair], split: Split) -> PairScores:
        face, voice = (network_scores(network, collection, folder, modality, split)
                       for modality, network in networks.items())
        return score_pairs(pairs, names, face, voice)

    result = scored(pairs, split)
    if fusions:
        validation = all_combinations(collection.people, "validation")
        _add_fusions(result, scored(validation, "validation") if validation else None)
    return result


def _add_fusions(result: PairScores, validation: PairScores | None) -> None:
    face, voice = result.columns["face"], result.columns["voice"]
    result.columns["product"] = product(face, voice)
    try:
        from train.scoring.scaling import fit_scaling
    except ModuleNotFoundError as missing:
        if missing.name not in ("scipy", "msgspec"):
            raise
        return  # a training machine may have numpy and Keras alone
    if validation:
        scaling = fit_scaling(validation.columns["face"], validation.columns["voice"],
                              validation.labels)
        result.columns["scaled"] = fuse(face, voice, scaling)


def summary(result: PairScores, split: Split) -> dict[str, Any]:
    """The keys that `evaluate --json` prints; accuracies are fractions."""
    shares = result.accuracy()
    return {"pairs": len(result.pairs), "split": split,
            "accuracy": {column: shares.get(column) for column in ACCURACY_COLUMNS},
            "interval": result.intervals()}


def save_accuracy(
    folder: RunFolder, result: PairScores, content: dict[str, Any], condition: str
) -> None:
    """Put the result under its condition ('test', 'test snr 5') into accuracy.json, and the pairs
    that any column got wrong into wrong.csv (for noise, 'wrong test snr 5.csv')."""
    file = folder.path / "accuracy.json"
    before = json.loads(file.read_text()) if file.is_file() else {}
    file.write_text(json.dumps(before | {condition: content}, indent=2) + "\n")
    name = "wrong.csv" if condition == "test" else f"wrong {condition}.csv"
    _save_wrong(folder.path / name, result, folder.run.spec.people)


def _save_wrong(path: Path, result: PairScores, names: tuple[str, ...]) -> None:
    columns = list(result.columns)
    named = {column: np.argmax(scores, axis=1) for column, scores in result.columns.items()}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["face_path", "voice_path", "person",
                         *(f"{column}_{what}" for column in columns
                           for what in ("named", "score"))])
        for i, (face, clip) in enumerate(result.pairs):
            if all(result.correct(column)[i] for column in columns):
                continue
            cells: list[str] = []
            for column in columns:
                best = int(named[column][i])
                cells += [names[best], f"{result.columns[column][i, best]:.4f}"]
            writer.writerow([face.path, clip.path, face.person, *cells])
