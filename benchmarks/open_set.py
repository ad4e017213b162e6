"""People whom training has not seen: half of them enrolled from few files, the others strangers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.collection import read_collection
from edge_runtime.command import percent, table
from edge_runtime.errors import PeopleError
from edge_runtime.gallery.limits import BOTH, COLUMNS
from edge_runtime.identify import Identifier
from edge_runtime.open_set import NOBODY, OpenSet, open_set
from edge_runtime.people import Modality, Sample, index_people, test_pairs
from edge_runtime.similarity import Array, Similarity
from edge_runtime.trials import ENROLLED_FROM, Trials, embed_all, fitted
from edge_runtime.voice import Sound

RATES = (0.1, 0.05, 0.01)  # FPIR
MIXED = 1000  # pairs of one person's face with another's voice


def measure_open_set(
    bundle: Path, data: Path, *, count: int = ENROLLED_FROM, seed: int = 0,
    noises: Sequence[Sound] = (), snr_db: float | None = None,
) -> dict[str, Any]:
    """FNIR at given FPIR, EER, and mixed pairs, by face, voice and both.

    data: people on disk; those whom the bundle does not know are halved by `seed` into enrolled
    (from `count` faces and clips each) and strangers, to whom the split `stranger` is added. Faces
    and voices are weighed as the strangers tell each other apart. PeopleError where there are fewer
    than 4 of them.
    """
    identifier = Identifier.load(bundle, allow_uncertified=True)
    face = identifier.manifest.inputs.face
    assert face is not None
    collection = read_collection(index_people(data), face.size)
    unseen = sorted(set(collection.people.names) - set(identifier.manifest.people))
    if len(unseen) < 4:
        raise PeopleError(f"{data}: expected at least 4 people whom the bundle does not know, "
                          f"found {len(unseen)}; train with --leave-out-people")
    trials = embed_all(identifier, collection, noises, snr_db)
    order = np.random.default_rng(seed).permutation(len(unseen))
    enrolled = sorted(unseen[i] for i in order[: len(unseen) // 2])
    similarity = _fit(trials, [name for name in unseen if name not in enrolled], count)
    templates = trials.templates(enrolled, count)
    pairs = [pair for pair in test_pairs(collection.people) if pair[0].person in unseen]
    pairs += test_pairs(collection.people, "stranger")
    cosines = trials.cosines(pairs, templates)
    owners = np.array([enrolled.index(f.person) if f.person in enrolled else NOBODY
                       for f, _ in pairs])
    _, people = np.unique([f.person for f, _ in pairs], return_inverse=True)
    results = {}
    for column, names in COLUMNS.items():
        odds = similarity.log_odds({m: cosines[m] for m in names}, contradict=False)
        results[column] = open_set(odds, owners, people)
    return {
        "bundle": bundle.name, "data": collection.name, "recipe": identifier.manifest.recipe,
        "snr_db": snr_db, "enrolled": len(enrolled), "files_each": count, "seed": seed,
        "strangers": len(set(people[owners == NOBODY].tolist())),
        "probes": {"enrolled": int((owners != NOBODY).sum()),
                   "strangers": int((owners == NOBODY).sum())},
        "columns": {column: _figures(result) for column, result in results.items()},
        "mixed": _mixed(trials, enrolled, similarity, templates, results[BOTH], seed)}


def _fit(trials: Trials, strangers: list[str], count: int) -> Similarity:
    """Without noise, and against each other alone, whom they are not tried against later. On people
    of the training both modalities would look better than they are, and not by the same amount."""
    clean = replace(trials, probes=trials.clean)
    pairs = [p for p in test_pairs(trials.collection.people) if p[0].person in strangers]
    owners = np.array([strangers.index(face.person) for face, _ in pairs])
    return fitted(clean.cosines(pairs, clean.templates(strangers, count)), owners)


def _figures(result: OpenSet) -> dict[str, Any]:
    at = {}
    for rate in RATES:
        threshold = result.threshold_at(rate)
        at[f"{100 * rate:g} %"] = {"fnir": result.fnir(threshold), "fpir": result.fpir(threshold),
                                   "fpir_bound": result.fpir_bound(threshold)}
    return {"equal_error_rate": result.equal_error_rate(), "at_fpir": at,
            "curve": [(round(fpir, 4), round(fnir, 4)) for fpir, fnir in result.curve(50)]}


def _mixed(
    trials: Trials, enrolled: list[str], similarity: Similarity,
    templates: Mapping[Modality, Array], both: OpenSet, seed: int,
) -> dict[str, Any]:
    """One enrolled person's face with another's voice: how often anybody is named."""
    rng = np.random.default_rng([seed, 1])
    pairs = [p for p in test_pairs(trials.collection.people) if p[0].person in enrolled]
    mixed: list[tuple[Sample, Sample]] = []
    while len(mixed) < MIXED:
        first, second = (pairs[i] for i in rng.integers(len(pairs), size=2))
        if first[0].person != second[0].person:
            mixed.append((first[0], second[1]))
    scores = similarity.log_odds(trials.cosines(mixed, templates)).max(axis=1)
    return {"pairs": MIXED, "accepted": {
        f"{100 * rate:g} %": float(np.mean(scores >= both.threshold_at(rate))) for rate in RATES}}


def open_set_table(content: Mapping[str, Any]) -> str:
    """A row for each column."""
    header = ["", "EER (%)", *(f"FNIR (%) at FPIR {100 * rate:g} %" for rate in RATES)]
    rows = [[column, percent(found["equal_error_rate"]),
             *(f"{percent(at['fnir'])} (below {percent(at['fpir_bound'])})"
               for at in found["at_fpir"].values())]
            for column, found in content["columns"].items()]
    return table(header, rows)
