"""What a conversion changed: the same real inputs through Keras and through the interpreter.

A bundle is certified by its accuracy beside Keras's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from convert.quantize.recipes import find_recipe
from edge_runtime.bundle.manifest import Accuracy, ScoreScaling
from edge_runtime.bundle.networks import Network
from edge_runtime.dataset.collection import Collection
from edge_runtime.dataset.people import Split, all_combinations
from edge_runtime.errors import ConversionError
from edge_runtime.evaluation.accuracy import Pair, PairScores, fused_pairs, score_pairs
from train.models.registry import Part
from train.runs.folder import RunFolder
from train.scoring.evaluate import fused_scores, network_scores
from train.training.examples import network_inputs, pair_batches

Array = npt.NDArray[np.float32]
Case = Any
"""What is scored: a file, or for a fused network a pair of them."""

FLOAT32_LIMIT = 1e-4  # on scores; what is larger is a fault and no rounding


@dataclass(frozen=True)
class Comparison:
    """Scores [people] of each case by the interpreter, and the largest difference to Keras's."""

    scores: Mapping[Case, Array]
    max_abs_error: float


def compare(
    network: Network, inputs: Iterable[tuple[Case, Mapping[str, Array]]],
    reference: Mapping[Case, Array],
) -> Comparison:
    """Run every case one by one, as the device does.

    inputs: each case with the network's inputs [...] by name. reference: Keras's scores [people].
    """
    scores = device_scores(network, inputs)
    # NumPy's maximum, unlike Python's, is NaN where any is.
    error = np.max([np.max(np.abs(scores[case] - reference[case])) for case in scores])
    return Comparison(scores, float(error))


def device_scores(
    network: Network, inputs: Iterable[tuple[Case, Mapping[str, Array]]]
) -> dict[Case, Array]:
    """Scores [people] of each case by the interpreter, run one by one."""
    return {case: network.run(**{name: row[np.newaxis] for name, row in rows.items()}).scores
            for case, rows in inputs}


def assert_float32(part: str, comparison: Comparison) -> None:
    """ConversionError where a float32 conversion differs from Keras by more than rounding."""
    if not comparison.max_abs_error <= FLOAT32_LIMIT:
        raise ConversionError(
            f"the {part} network's float32 conversion differs from Keras by "
            f"{comparison.max_abs_error:.1e}, at most {FLOAT32_LIMIT:.0e} is rounding; this is a "
            "fault of the conversion, please report it")


def keras_scores(
    folder: RunFolder, network: keras.Model, part: Part, collection: Collection
) -> Mapping[Case, Array]:
    """Keras's scores of every test file, or for a fused network of every combination."""
    if part != "fused":
        return network_scores(network, collection, folder, part, "test")
    pairs = all_combinations(collection.people)
    return dict(zip(pairs, fused_scores(network, collection, folder, pairs), strict=True))


def device_inputs(
    folder: RunFolder, part: Part, collection: Collection, split: Split = "test"
) -> Iterator[tuple[Case, Mapping[str, Array]]]:
    """Files of a split or their combinations with what the device would feed for them."""
    spec = folder.run.spec
    if part == "fused":
        combinations = all_combinations(collection.people, split)
        for pairs, arrays in pair_batches(collection, spec, combinations):
            for i, pair in enumerate(pairs):
                yield pair, {name: rows[i] for name, rows in arrays.items()}
    else:
        samples, inputs = network_inputs(collection, spec, part, split)
        for sample, row in zip(samples, inputs, strict=True):
            yield sample, {part: row}


MAX_DROP = 0.01  # of the ensemble's accuracy under float32's, on all combinations
MIN_OVER_CHANCE = 1.5  # times as often right as by chance, or the networks have not learned


def measure(
    folder: RunFolder, collection: Collection, found: PairScores, reference: PairScores
) -> Accuracy:
    """Accuracy on all combinations, and how often Keras, the reference, agrees."""
    data = folder.run.data
    shares = found.accuracy()
    return Accuracy(
        data=collection.name, data_digest=collection.digest,
        synthetic=bool(data and data.synthetic), combinations=len(found.pairs),
        face=shares.get("face"), voice=shares.get("voice"), ensemble=shares.get("ensemble"),
        fused=shares.get("fused"), interval=found.intervals(),
        agreement=agreement(found, reference), float32=reference.accuracy())


def combination_scores(
    pairs: Sequence[Pair], names: tuple[str, ...], scores: Mapping[Part, Mapping[Case, Array]],
    scaling: ScoreScaling | None = None,
) -> PairScores:
    """From each network's scores of its cases to those of combinations."""
    if "fused" in scores:
        return fused_pairs(pairs, names, np.stack([scores["fused"][pair] for pair in pairs]))
    return score_pairs(pairs, names, scores["face"], scores["voice"], scaling)


def agreement(found: PairScores, reference: PairScores) -> float:
    """Share of pairs on which both name the same person."""
    column = found.main_column
    return float(np.mean(np.argmax(found.columns[column], axis=1)
                         == np.argmax(reference.columns[column], axis=1)))


def find_faults(
    recipe: str, networks: Mapping[Part, Network], accuracy: Accuracy | None, num_people: int
) -> list[str]:
    """Why the bundle is not certified; empty where it is."""
    faults, limit = [], find_recipe(recipe).max_partitions
    for part, network in networks.items():
        partitions = network.xnnpack_partitions()
        if limit is not None and partitions is not None and partitions > limit:
            faults.append(f"XNNPACK takes the {part} network in {partitions} pieces, "
                          f"{recipe} allows {limit}")
    if accuracy is None:
        return [*faults, "untrained: for latency only"]
    column = "ensemble" if accuracy.fused is None else "fused"
    drop = accuracy.float32[column] - getattr(accuracy, column)
    if drop > MAX_DROP:
        faults.append(f"the {column} accuracy loses {100 * drop:.1f} points to float32, at most "
                      f"{100 * MAX_DROP:.1f} are allowed")
    if accuracy.float32[column] < MIN_OVER_CHANCE / num_people:
        faults.append("the networks are hardly better than chance")
    return faults
