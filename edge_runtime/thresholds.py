"""From when on somebody is named: limits for a wanted rate of strangers who get a name.

Everybody in a folder of people is tried as enrolled (their test files against all) and as a
stranger (the same files against all others), and whoever is in the split `stranger` as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_runtime.collection import read_collection
from edge_runtime.errors import PeopleError, UsageError
from edge_runtime.gallery.limits import BOTH, COLUMNS, Limits, Odds
from edge_runtime.gallery.store import Gallery
from edge_runtime.identify import Identifier
from edge_runtime.open_set import NOBODY, OpenSet, open_set
from edge_runtime.people import MODALITIES, Modality, index_people, test_pairs
from edge_runtime.similarity import Similarity
from edge_runtime.trials import embed_all, fitted


@dataclass(frozen=True)
class Measured:
    """Limits, and the outcomes by column that they come from."""

    limits: Limits
    outcomes: Mapping[str, OpenSet]


def measure_limits(identifier: Identifier, root: Path, rate: float) -> Measured:
    """Limits at which at most a share `rate` of strangers gets a name, with 95 % confidence.

    root: people whom the network was not trained on, or it looks better than it is. PeopleError
    where they are too few to say.
    """
    if set(identifier.manifest.files) != set(MODALITIES):
        raise UsageError("expected a bundle of a pair, found one fused network; thresholds are for "
                         "people enrolled by the embeddings of a pair")
    if not 0 < rate < 1:
        raise UsageError(f"--false-accept-rate expects a share between 0 and 1, found {rate:g}")
    face = identifier.manifest.inputs.face
    assert face is not None
    collection = read_collection(index_people(root), face.size)
    _check_unknown(identifier, root, collection.people.names)
    trials = embed_all(identifier, collection)
    names = list(collection.people.names)
    pairs = test_pairs(collection.people)
    strangers = test_pairs(collection.people, "stranger")
    templates = trials.templates(names)
    owners = np.array([names.index(face.person) for face, _ in pairs])
    similarity = fitted(trials.cosines(pairs, templates), owners)
    cosines = trials.cosines(pairs + strangers, templates)
    owners = np.concatenate([owners, np.full(len(strangers), NOBODY)])
    _, people = np.unique([face.person for face, _ in pairs + strangers], return_inverse=True)
    outcomes = {column: open_set(similarity.log_odds({m: cosines[m] for m in modalities}), owners,
                                 people, leave_one_out=True)
                for column, modalities in COLUMNS.items()}
    return Measured(_limits(root, similarity, outcomes, rate, len(names)), outcomes)


def _check_unknown(identifier: Identifier, root: Path, names: tuple[str, ...]) -> None:
    if known := sorted(set(names) & set(identifier.manifest.people)):
        raise PeopleError(f"{root}: {len(known)} people are those of the training ({known[0]}, "
                          "...), whom the network tells apart better than anybody enrolled later; "
                          "name other people")


def _limits(
    root: Path, similarity: Similarity, outcomes: Mapping[str, OpenSet], rate: float, people: int
) -> Limits:
    thresholds: dict[str, float] = {}
    for column, outcome in outcomes.items():
        found = outcome.threshold_within(rate)
        if found is None:
            least = outcome.fpir_bound(np.inf)
            raise PeopleError(
                f"{root}: {outcome.impostor.size} trials of strangers are too few to keep their "
                f"false accepts under {100 * rate:g} % by {column}: with none accepted they are "
                f"below {100 * least:.2g} % at best; give more people or files, or a higher "
                "--false-accept-rate")
        thresholds[column] = found
    parts = {"face": similarity.face, "voice": similarity.voice, BOTH: similarity.both}
    return Limits(
        odds={column: Odds(dict(part.scale), part.offset) for column, part in parts.items()},
        thresholds=thresholds, false_accept_rate=rate, people=people,
        false_accept_bound={column: outcome.fpir_bound(thresholds[column])
                            for column, outcome in outcomes.items()},
        miss_rate={column: outcome.fnir(thresholds[column])
                   for column, outcome in outcomes.items()})


def lookalikes(gallery: Gallery, limits: Limits) -> list[tuple[str, str, float]]:
    """Enrolled people who may be taken for each other: pairs of names, the most alike first, whose
    templates' log-odds reach the threshold of both modalities."""
    names, templates = gallery.templates()
    found = []
    for i, name in enumerate(names):
        cosines: dict[Modality, np.ndarray] = {m: rows @ rows[i] for m, rows in templates.items()}
        odds = limits.similarity.log_odds(cosines)
        found += [(name, names[k], float(odds[k])) for k in range(i + 1, len(names))
                  if odds[k] >= limits.thresholds[BOTH]]
    return sorted(found, key=lambda pair: -pair[2])
