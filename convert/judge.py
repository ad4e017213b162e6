"""What a converted model is worth: its accuracy beside Keras's, and whether it is certified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from convert.parity import Array, Case
from convert.recipes import find_recipe
from edge_runtime.accuracy import Pair, PairScores, fused_pairs, score_pairs
from edge_runtime.collection import Collection
from edge_runtime.interpreter import Network
from edge_runtime.manifest import Accuracy, ScoreScaling
from train.models.registry import Part
from train.run import RunFolder

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
