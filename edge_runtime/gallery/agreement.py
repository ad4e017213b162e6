"""Are embeddings of one person? Parted into the two groups least alike, those are compared.

One sample of somebody else makes a group of its own, and two people's samples fall into two,
however many are of each. Average linkage: Sokal and Michener, 1958.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge_runtime.errors import GalleryError
from edge_runtime.gallery.samples import NewSample, first_problem, of_modality
from edge_runtime.gallery.search import Embeddings
from edge_runtime.modalities import MODALITIES, Modality
from edge_runtime.similarity import Similarity

# Log-odds of the mean cosine between the groups, of a modality or of both in sum, below which they
# are of two people, where `visavox thresholds` has fitted log-odds.
TWO_PEOPLE = -5.0
# With or without: the mean cosine between the groups under this share of that within them, or,
# which alone counts for two samples, under LEAST_COSINE. docs/measurements/open-set.md has figures.
LEAST_SHARE = 0.7
LEAST_COSINE = 0.4
_MOST_NAMED = 10  # files in a message


@dataclass(frozen=True)
class Parted:
    """Rows of the smaller group and of the other one. Mean cosines between them, and within; 0
    where both are of one row."""

    apart: tuple[int, ...]
    others: tuple[int, ...]
    between: float
    within: float


def part(embeddings: Embeddings) -> Parted:
    """Two groups of at least two embeddings [n, dim] of length 1."""
    cosines = embeddings @ embeddings.T
    groups = [[i] for i in range(len(embeddings))]
    while len(groups) > 2:
        pairs = [(i, j) for j in range(len(groups)) for i in range(j)]
        i, j = max(pairs, key=lambda p: cosines[np.ix_(groups[p[0]], groups[p[1]])].mean())
        groups[i] += groups.pop(j)
    within = [cosines[a, b] for group in groups for a in group for b in group if a < b]
    apart, others = sorted((sorted(group) for group in groups), key=lambda g: (len(g), -g[0]))
    return Parted(tuple(apart), tuple(others), float(cosines[np.ix_(apart, others)].mean()),
                  float(np.mean(within)) if within else 0.0)


def least_expected(
    parted: Mapping[Modality, Parted], similarity: Similarity | None
) -> dict[Modality, float]:
    """The mean cosine between the groups from which on they are of one person."""
    least = {m: max(LEAST_COSINE, LEAST_SHARE * found.within) for m, found in parted.items()}
    if similarity is None:
        return least
    alone = {m: similarity.alone(m) for m in parted}
    odds = {m: min(float(alone[m].of({m: np.array(found.between)})), 0.0)
            for m, found in parted.items()}
    for m in parted:
        # What the other one says against counts too; what it says for one person does not.
        limit = min(TWO_PEOPLE - (sum(odds.values()) - odds[m]), 0.0)
        scale = alone[m].scale[m]
        if scale:
            least[m] = max(least[m], (limit - alone[m].offset) / scale)
    return least


def check_agreement(samples: Sequence[NewSample], similarity: Similarity | None = None) -> None:
    """GalleryError names samples that are the same as others, or of somebody else than these.

    similarity: as `visavox thresholds` has fitted it to the networks, which finds far more.
    """
    by_modality = {m: [s for s in samples if s.modality == m] for m in MODALITIES}
    problems = [problem for found in by_modality.values() if (problem := _copy(found))]
    if not problems:
        parted = {m: part(of_modality(found, m)) for m, found in by_modality.items()
                  if len(found) > 1}
        least = least_expected(parted, similarity)
        problems = [_disagreement(by_modality[m], found, least[m])
                    for m, found in parted.items() if found.between < least[m]]
    if problems:
        raise GalleryError(first_problem(problems))


def _disagreement(samples: Sequence[NewSample], found: Parted, least: float) -> str:
    word = "faces" if samples[0].modality == "face" else "clips"
    apart, others = (_listed([samples[i].source for i in rows])
                     for rows in (found.apart, found.others))
    verb = "does" if len(found.apart) == 1 else "do"
    return (f"{apart}: {verb} not agree with the other {word}, {others} (mean cosine "
            f"{found.between:.2f}, at least {least:.2f} is expected of one person); leave out "
            "what is of somebody else, or blurred, or noise")


def _listed(sources: Sequence[str]) -> str:
    more = len(sources) - _MOST_NAMED
    return ", ".join(sources[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _copy(samples: Sequence[NewSample]) -> str | None:
    seen: dict[bytes, str] = {}
    for sample in samples:
        content = sample.embedding.tobytes()
        if content in seen:
            return (f"{sample.source}: the same as {seen[content]}; expected samples that differ, "
                    "leave one out")
        seen[content] = sample.source
    return None
