"""A run made ready for any recipe: float32 networks, people, representative samples, scaling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from convert.judge import combination_scores
from convert.networks import Exported, export
from convert.parity import device_inputs, device_scores
from convert.recipes import Samples
from convert.samples import Chosen, choose_samples, noise_inputs, sample_inputs
from edge_runtime.collection import Collection
from edge_runtime.errors import ConversionError
from edge_runtime.interpreter import Network
from edge_runtime.manifest import ScoreScaling
from edge_runtime.modalities import MODALITIES
from edge_runtime.people import all_combinations
from train.leave_out import without_people
from train.models.registry import Part
from train.run import RunFolder
from train.scaling import fit_scaling


@dataclass(frozen=True)
class Prepared:
    """What all recipes of a run begin with.

    collection: whom it is measured on; None for an untrained run. chosen: representative samples,
    None where no recipe needs any. scaling: None for a fused network, and without validation files.
    folded: see convert/fold.py.
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
