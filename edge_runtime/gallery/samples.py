"""What somebody is enrolled from (embeddings of faces and clips), and whether a gallery takes it.

- Samples are to be of one person: parted into the two groups least alike, those are compared. One
  sample of somebody else makes a group of its own, and two people's samples fall into two, however
  many are of each. Average linkage: Sokal and Michener, 1958.
- Nobody is to be enrolled already, under another name.
- The network has to tell people apart whom it was not trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge_runtime.bundle.manifest import Manifest, NetworkFile
from edge_runtime.decision.decide import BOTH, EnrolledThresholds
from edge_runtime.decision.similarity import Similarity
from edge_runtime.errors import GalleryError
from edge_runtime.gallery.roster import Embeddings, Roster, mean_template
from edge_runtime.modalities import MODALITIES, Modality

MIN_SAMPLES = 1  # of both modalities together
MAX_SAMPLES = 20  # of each modality


@dataclass(frozen=True)
class NewSample:
    """A face or a clip, by its embedding, float32 [dim] of length 1. source: the file's name or
    what else tells people which one is meant; it is never stored."""

    source: str
    modality: Modality
    embedding: Embeddings


def of_modality(samples: Sequence[NewSample], modality: Modality) -> Embeddings:
    """float32 [n, dim]; [0, 0] where there is none."""
    found = [sample.embedding for sample in samples if sample.modality == modality]
    return np.stack(found) if found else np.empty((0, 0), np.float32)


def check_counts(modalities: Sequence[Modality]) -> None:
    """GalleryError where there are too few or too many samples; the modality of each is given."""
    if len(modalities) < MIN_SAMPLES:
        raise GalleryError("expected at least one face or one clip, found none")
    for modality in MODALITIES:
        count = modalities.count(modality)
        if count > MAX_SAMPLES:
            raise GalleryError(f"expected at most {MAX_SAMPLES} samples of a {modality}, found "
                               f"{count}; choose {MAX_SAMPLES} that differ")


def check_embeddings(
    samples: Sequence[NewSample], networks: Mapping[Modality, NetworkFile]
) -> None:
    """GalleryError where one is not an embedding as the bundle's network gives them."""
    for sample in samples:
        network = networks.get(sample.modality)
        dim = network.embedding_dim if network else 0
        length = float(np.linalg.norm(sample.embedding))
        if sample.embedding.shape != (dim,) or not abs(length - 1) < 0.01:
            raise GalleryError(
                f"{sample.source}: expected {dim} numbers of length 1 from the bundle's "
                f"{sample.modality} network, found {sample.embedding.size} of length "
                f"{length:.2f}; take another sample")


def first_problem(problems: Sequence[str]) -> str:
    """It, and how many more there are."""
    more = len(problems) - 1
    return problems[0] + (f" (and {more} more like it)" if more else "")


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


# Two names whose templates are at least this much alike (the mean cosine over the modalities that
# both have) are taken for one person. A rough limit, since no thresholds are fitted here. By a
# network trained on kiosk95 with softmax, on people30, whom it does not know, 3 samples each: 93 %
# of people are recognised; of two different ones 0 % are taken for one by face or by both
# modalities, 3 % by voice alone.
SAME_PERSON_COSINE = 0.9


@dataclass(frozen=True)
class Twin:
    """Who is most alike, and how much."""

    name: str
    similarity: float


def most_alike(roster: Roster, samples: Sequence[NewSample]) -> Twin | None:
    """Whoever of the roster is taken for the same person as these samples are of, or None."""
    cosines: dict[bytes, list[float]] = {}
    for modality in MODALITIES:
        rows, index = of_modality(samples, modality), roster.index(modality)
        if index is None or not len(rows):
            continue
        for person, cosine in index.best(mean_template(rows), len(index)):
            cosines.setdefault(person, []).append(cosine)
    similarity = {person: sum(found) / len(found) for person, found in cosines.items()}
    nearest = max(similarity, key=lambda person: similarity[person], default=None)
    if nearest is None or similarity[nearest] < SAME_PERSON_COSINE:
        return None
    return Twin(roster.people()[nearest].name, similarity[nearest])


MOST_EER = 0.25  # of face and voice together, on people whom the network does not know
FORCED = "forced"  # the audit log's event: the gallery remembers that it was told otherwise


def unsuited(manifest: Manifest | None, thresholds: EnrolledThresholds | None) -> str | None:
    """Why people should not be enrolled by this bundle; None where nothing is known against it."""
    if manifest and manifest.accuracy and manifest.accuracy.synthetic:
        return "the bundle was trained on synthetic people, and tells real ones apart poorly"
    rates = thresholds.equal_error_rate if thresholds else None
    if rates and rates[BOTH] > MOST_EER:
        return (f"the bundle's networks do not tell new people apart (EER {100 * rates[BOTH]:.0f} "
                f"%, at most {100 * MOST_EER:.0f} % is expected)")
    return None


def refuse(why: str) -> GalleryError:
    """What to say of it."""
    return GalleryError(f"{why}; use a bundle trained on more people, or an encoder, or take it "
                        "nevertheless with --force, which the gallery remembers")
