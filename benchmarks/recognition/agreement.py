"""How often `enroll` refuses one person's samples, and how often it finds those of two people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_runtime.console.output import percent, table
from edge_runtime.dataset.collection import Collection
from edge_runtime.decision.identify import Identifier
from edge_runtime.decision.similarity import Array, Similarity
from edge_runtime.errors import GalleryError, PeopleError
from edge_runtime.evaluation.open_set import Trials, embed_all
from edge_runtime.gallery.samples import NewSample, check_agreement
from edge_runtime.modalities import MODALITIES, Modality

COUNTS = ((2, 0), (3, 0), (5, 0), (0, 3), (3, 3), (5, 3))  # faces and clips
_HALVES = 10  # in which people are parted anew
Files = dict[str, dict[Modality, list[Array]]]


def measure_agreement(
    identifier: Identifier, collection: Collection, *, draws: int = 2000, seed: int = 0
) -> dict[str, Any]:
    """Shares of draws that are refused, {"results": [...]}: of one person; with one sample of
    somebody else; half of each. fitted: by log-odds of half of the people, for the other half.

    collection: people whom the network was not trained on. PeopleError where they are too few.
    """
    trials = embed_all(identifier, collection)
    names = list(collection.people.names)
    if len(names) < 4:
        raise PeopleError(f"expected at least 4 people, found {len(names)}; give more")
    files: Files = {name: {m: [] for m in MODALITIES} for name in names}
    for sample in (s for s in collection.people.samples if s.person in files):
        files[sample.person][sample.modality].append(trials.clean[sample])
    rng = np.random.default_rng(seed)
    refused = {counts: np.zeros((2, 3)) for counts in COUNTS}
    for _ in range(_HALVES):
        similarity, rest = _fitted(trials, names, rng)
        for counts in COUNTS:
            for _ in range(draws // _HALVES):
                refused[counts] += _draw(files, rest, counts, similarity, rng)
    total = draws // _HALVES * _HALVES
    return {"draws": total, "people": len(names), "results": [
        {"faces": faces, "clips": clips, "by": by, "one_person": float(row[0] / total),
         "one_of_another": float(row[1] / total), "half_of_another": float(row[2] / total)}
        for (faces, clips), rows in refused.items()
        for by, row in zip(("cosines", "fitted"), rows, strict=True)]}


def _fitted(
    trials: Trials, names: Sequence[str], rng: np.random.Generator
) -> tuple[Similarity, list[str]]:
    order = [names[i] for i in rng.permutation(len(names))]
    half = len(order) // 2
    return trials.similarity(order[:half]), order[half:]


def _draw(
    files: Files, names: Sequence[str], counts: tuple[int, int], similarity: Similarity,
    rng: np.random.Generator,
) -> Array:
    """[2, 3]: without and with log-odds, whether each of the three mixtures is refused."""
    wanted = dict(zip(MODALITIES, counts, strict=True))
    able = [name for name in names if all(len(files[name][m]) >= n for m, n in wanted.items())]
    one, other = rng.choice(able, 2, replace=False)
    drawn = {name: {m: [files[name][m][i] for i in rng.permutation(len(files[name][m]))[:n]]
                    for m, n in wanted.items()} for name in (one, other)}
    first = next(m for m, n in wanted.items() if n)
    mixtures: list[dict[Modality, int]] = [
        {}, {first: 1}, {m: n // 2 for m, n in wanted.items()}]
    return np.array([[_refused([
        NewSample(f"{m} {i}", m, row) for m, n in wanted.items() for i, row in enumerate(
            [*drawn[one][m][: n - mixed.get(m, 0)], *drawn[other][m][: mixed.get(m, 0)]])], by)
        for mixed in mixtures] for by in (None, similarity)], np.float64)


def _refused(samples: list[NewSample], similarity: Similarity | None) -> bool:
    try:
        check_agreement(samples, similarity)
    except GalleryError:
        return True
    return False


def agreement_table(content: dict[str, Any]) -> str:
    """A row for each number of samples and each rule."""
    return table(
        ["faces + clips", "by", "one person (%)", "one sample of another (%)",
         "half of another (%)"],
        [[f"{row['faces']} + {row['clips']}", row["by"], percent(row["one_person"]),
          percent(row["one_of_another"]), percent(row["half_of_another"])]
         for row in content["results"]])
