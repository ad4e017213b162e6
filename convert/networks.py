"""One network of a run on its way into a bundle: exported once, then quantized by any recipe."""

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
from convert.recipes import Quantization, Samples, apply_recipe, find_recipe
from convert.samples import Chosen, noise_inputs, sample_inputs
from convert.techniques import tuned
from edge_runtime.collection import Collection
from edge_runtime.errors import UsageError
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


@dataclass(frozen=True)
class Converted:
    """A network by a recipe; comparison is None where there is no data to compare on."""

    model: bytes
    network: Network
    embedding_dim: int
    comparison: Comparison | None
    reference: Mapping[Case, Array]


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


def convert(
    exported: Exported, quantization: Quantization, folder: RunFolder,
    collection: Collection | None, chosen: Chosen | None,
) -> Converted:
    """chosen: the representative samples, for a recipe that needs them; without a collection, noise
    is good enough for a network that is for latency only."""
    recipe = find_recipe(quantization.recipe)
    techniques = recipe.techniques
    if techniques and not collection:
        raise UsageError(f"{quantization.recipe} goes on training and needs people to train on; "
                         "convert a trained run, without --untrained")
    start = exported.model
    if techniques and collection:
        start = tuned(folder.path, exported.part, techniques, collection.people.root,
                      folded=quantization.folded, steps=quantization.tuning_steps)
    samples: Samples = ()
    if recipe.needs_samples:
        samples = (sample_inputs(chosen, collection, folder.run.spec, exported.part)
                   if chosen and collection else noise_inputs(Network(exported.model).inputs))
    model = apply_recipe(quantization.recipe, start, samples, runtime=quantization.runtime,
                         left=quantization.left.get(exported.part, ()))
    network, comparison = Network(model), exported.comparison
    if collection and model is not exported.model:
        inputs = device_inputs(folder, exported.part, collection)
        comparison = compare(network, inputs, exported.reference)
    return Converted(model, network, exported.embedding_dim, comparison, exported.reference)
