"""What a conversion changed: the same real inputs through Keras and through the interpreter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from edge_runtime.collection import Collection
from edge_runtime.errors import ConversionError
from edge_runtime.interpreter import Network
from edge_runtime.people import Split, all_combinations
from train.evaluate import fused_scores, network_scores
from train.examples import network_inputs, pair_batches
from train.models.registry import Part
from train.run import RunFolder

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
