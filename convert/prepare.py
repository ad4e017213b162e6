"""A run made ready for any recipe: float32 networks, people, representative samples, scaling.

What does not depend on the recipe is made once. Each float32 `.tflite` network is held to what
Keras answers; a static recipe measures the ranges of activations on the representative samples.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from convert.check.parity import (
    Array,
    Case,
    Comparison,
    assert_float32,
    combination_scores,
    compare,
    device_inputs,
    device_scores,
    keras_scores,
)
from convert.graph.export import export_float32
from convert.graph.fold import fold
from convert.quantize.recipes import Samples, apply_recipe, find_recipe
from convert.quantize.techniques import tuned
from edge_runtime.bundle.manifest import ScoreScaling
from edge_runtime.bundle.networks import Network
from edge_runtime.dataset.collection import Collection
from edge_runtime.dataset.people import Sample, all_combinations
from edge_runtime.errors import ConversionError, UsageError
from edge_runtime.modalities import MODALITIES, Modality
from edge_runtime.signals.face import square_face
from edge_runtime.signals.voice import speech_window
from train.data import without_people
from train.models.build import Spec
from train.models.registry import Part
from train.runs.folder import RunFolder
from train.scoring.scaling import fit_scaling

COUNT = 128  # of each modality at most; a network takes seconds for so many


@dataclass(frozen=True)
class Chosen:
    """Training files drawn by seed, at most COUNT of each modality."""

    seed: int
    files: dict[Modality, tuple[Sample, ...]]

    @property
    def digest(self) -> str:
        """Of the names of the files, in order."""
        paths = "\n".join(sample.path for row in self.files.values() for sample in row)
        return hashlib.sha256(paths.encode()).hexdigest()


def choose_samples(collection: Collection, seed: int) -> Chosen:
    """Without drawing a file twice. ConversionError where a modality has no training file."""
    rng = np.random.default_rng([seed, 4])
    files: dict[Modality, tuple[Sample, ...]] = {}
    for modality in MODALITIES:
        there = collection.people.of(modality, "train")
        if not there:
            raise ConversionError(f"{collection.people.root}: expected training files of both "
                                  f"modalities for a static recipe, found no {modality} that is "
                                  "readable and not silent; name the training's data with --data")
        drawn = rng.permutation(len(there))[:COUNT]
        files[modality] = tuple(there[i] for i in drawn)
    return Chosen(seed, files)


def noise_inputs(shapes: Mapping[str, tuple[int, ...]]) -> Samples:
    """Samples of noise for inputs of the given shapes."""
    rng = np.random.default_rng(0)
    scale = {"face": 255.0, "voice": 0.1}
    return [{name: rng.uniform(0, scale[name], shape).astype(np.float32)
             for name, shape in shapes.items()} for _ in range(8)]


def sample_inputs(
    chosen: Chosen, collection: Collection, spec: Spec, part: Part
) -> Samples:
    """The chosen files as the device would feed them; a fused network gets a face and a clip."""
    rows = {}
    if part in ("face", "fused"):
        rows["face"] = [square_face(collection.faces[s], spec.image_size).astype(np.float32)
                        for s in chosen.files["face"]]
    if part in ("voice", "fused"):
        rows["voice"] = [speech_window(collection.clips[s]) for s in chosen.files["voice"]]
    return [dict(zip(rows, (value[np.newaxis] for value in values), strict=True))
            for values in zip(*rows.values(), strict=False)]


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


@dataclass(frozen=True)
class Prepared:
    """What all recipes of a run begin with.

    collection: whom it is measured on; None for an untrained run. chosen: representative samples,
    None where no recipe needs any. scaling: None for a fused network, and without validation files.
    folded: see convert/graph/fold.py.
    """

    folder: RunFolder
    exported: Mapping[Part, Exported]
    collection: Collection | None
    chosen: Chosen | None
    scaling: ScoreScaling | None
    folded: bool

    def samples(self, part: Part) -> Samples:
        """The representative samples; noise is good enough for a network for latency only."""
        if self.chosen and self.collection:
            return sample_inputs(self.chosen, self.collection, self.folder.run.spec, part)
        return noise_inputs(Network(self.exported[part].model).inputs)


def prepare(
    folder: RunFolder, collection: Collection | None, *, folded: bool = True,
    needs_samples: bool = True,
) -> Prepared:
    """Export every network. ConversionError where the people do not fit the run, or a conversion
    differs from Keras."""
    collection = _known_people(folder, collection)
    chosen = None
    if needs_samples and collection:
        chosen = choose_samples(collection, folder.run.training.seed)
    exported = {part: export(folder, part, collection, folded=folded)
                for part in folder.run.spec.parts}
    scaling = _fitted_scaling(folder, exported, collection) if collection else None
    return Prepared(folder, exported, collection, chosen, scaling, folded)


def _fitted_scaling(
    folder: RunFolder, exported: Mapping[Part, Exported], collection: Collection
) -> ScoreScaling | None:
    """By the float32 networks on all combinations of validation files, for every recipe the same:
    what differs between recipes is then the networks alone."""
    pairs = all_combinations(collection.people, "validation")
    if folder.run.spec.parts != MODALITIES or not pairs:
        return None
    scores = {part: device_scores(Network(e.model),
                                  device_inputs(folder, part, collection, "validation"))
              for part, e in exported.items()}
    found = combination_scores(pairs, folder.run.spec.people, scores)
    return fit_scaling(found.columns["face"], found.columns["voice"], found.labels)


def _known_people(folder: RunFolder, collection: Collection | None) -> Collection | None:
    """Without those whom the run left out. ConversionError where there are others whom it does not
    know, or nobody has both a face and a clip to test on."""
    if collection is None:
        return None
    if folder.run.data:
        collection = without_people(collection, folder.run.data.left_out)
    root = collection.people.root
    if unseen := sorted(set(collection.people.names) - set(folder.run.spec.people)):
        raise ConversionError(f"{root}: {len(unseen)} people unknown to the run "
                              f"({', '.join(unseen[:3])}); name the people it was trained on")
    if not all_combinations(collection.people):
        raise ConversionError(f"{root}: no person has both a face and a clip to test on; give "
                              "everybody test files, or use --untrained")
    return collection


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
