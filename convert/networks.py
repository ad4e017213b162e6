"""One network of a run as a float32 `.tflite` model, held to what Keras answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from convert.export import export_float32
from convert.fold import fold
from convert.parity import (
    Array,
    Case,
    Comparison,
    assert_float32,
    compare,
    device_inputs,
    keras_scores,
)
from edge_runtime.collection import Collection
from edge_runtime.interpreter import Network
from train.models.registry import Part
from train.run import RunFolder


@dataclass(frozen=True)
class Exported:
    """A network in float32, and Keras's scores of each case; comparison is None without data."""

    part: Part
    model: bytes
    embedding_dim: int
    parameters: int
    reference: Mapping[Case, Array]
    comparison: Comparison | None


def export(
    folder: RunFolder, part: Part, collection: Collection | None, *, folded: bool = True
) -> Exported:
    """ConversionError where the conversion differs from the trained network by more than rounding,
    which is measured on every test file of `collection`."""
    trained = folder.load_network(part)
    model = export_float32(fold(trained) if folded else trained)
    dim = trained.output["embedding"].shape[-1]
    if collection is None:
        return Exported(part, model, dim, trained.count_params(), {}, None)
    reference = keras_scores(folder, trained, part, collection)
    comparison = compare(Network(model), device_inputs(folder, part, collection), reference)
    assert_float32(part, comparison)
    return Exported(part, model, dim, trained.count_params(), reference, comparison)
