"""The networks of a prepared run by a recipe, and how they compare with Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from convert.parity import Array, Case, Comparison, compare, device_inputs
from convert.prepare import Prepared
from convert.recipes import Samples, apply_recipe, find_recipe
from convert.techniques import tuned
from edge_runtime.errors import UsageError
from edge_runtime.interpreter import Network
from train.models.registry import Part


@dataclass(frozen=True)
class Quantization:
    """A recipe for all networks of a run.

    runtime: a key of RUNTIMES. left: operations of each network, by the names of their outputs,
    that stay float32 all the same. tuning_steps: of each training-time technique at most, None for
    as many as it takes.
    """

    recipe: str
    runtime: str = "litert"
    left: Mapping[Part, Sequence[str]] = field(default_factory=dict)
    tuning_steps: int | None = None


@dataclass(frozen=True)
class Quantized:
    """A network by a recipe; comparison is None where there is no data to compare on. reference:
    Keras's scores of each case."""

    model: bytes
    network: Network
    embedding_dim: int
    comparison: Comparison | None
    reference: Mapping[Case, Array]


def quantize(prepared: Prepared, part: Part, quantization: Quantization) -> Quantized:
    """ConversionError where the recipe cannot be applied, UsageError where it lacks people."""
    recipe, exported = find_recipe(quantization.recipe), prepared.exported[part]
    folder, collection = prepared.folder, prepared.collection
    start = exported.model
    if recipe.techniques:
        if collection is None:
            raise UsageError(f"{quantization.recipe} goes on training and needs people to train "
                             "on; convert a trained run, without --untrained")
        start = tuned(folder.path, part, recipe.techniques, collection.people.root,
                      folded=prepared.folded, steps=quantization.tuning_steps)
    samples: Samples = prepared.samples(part) if recipe.needs_samples else ()
    model = apply_recipe(quantization.recipe, start, samples, runtime=quantization.runtime,
                         left=quantization.left.get(part, ()))
    network, comparison = Network(model), exported.comparison
    if collection and model is not exported.model:
        comparison = compare(network, device_inputs(folder, part, collection), exported.reference)
    return Quantized(model, network, exported.embedding_dim, comparison, exported.reference)
