"""People whom training has not seen: who is enrolled and who is a stranger, drawn by a seed.

Their files are embedded once; flaws of a face or a clip are kept beside the embedding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from edge_runtime.dataset.people import Sample, test_pairs
from edge_runtime.decision.decide import COLUMNS, column_of
from edge_runtime.decision.identify import Identifier
from edge_runtime.decision.similarity import Array, Similarity
from edge_runtime.evaluation.accuracy import Pair
from edge_runtime.evaluation.open_set import (
    NOBODY,
    Embeddings,
    OpenSet,
    Trials,
    cosines_of,
    open_set,
)
from edge_runtime.modalities import MODALITIES, Modality
from edge_runtime.signals.detection import Picture
from edge_runtime.signals.face_quality import Flaw, face_quality, may_contradict, refusals
from edge_runtime.signals.voice import Sound
from edge_runtime.signals.voice_quality import voice_quality

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Draw:
    """seed: by which it was drawn. enrolled: names. templates: theirs, [people, dim]. pairs: probes
    of theirs and of strangers."""

    seed: int
    enrolled: Sequence[str]
    similarity: Similarity
    templates: Mapping[Modality, Array]
    pairs: Sequence[Pair]

    @cached_property
    def people(self) -> npt.NDArray[np.str_]:
        """[pairs], whose."""
        return np.array([face.person for face, _ in self.pairs])

    @cached_property
    def owners(self) -> Labels:
        """[pairs], as an index of those enrolled, or NOBODY."""
        index = {name: i for i, name in enumerate(self.enrolled)}
        return np.array([index.get(face.person, NOBODY) for face, _ in self.pairs])

    def outcomes(self, probes: Probes) -> dict[str, OpenSet]:
        """By column, as thresholds are measured: no modality contradicts the other."""
        cosines = cosines_of(self.pairs, self.templates, probes.embeddings)
        _, people = np.unique(self.people, return_inverse=True)
        return {column: open_set(
            self.similarity.log_odds({m: cosines[m] for m in modalities}, contradict=()),
            self.owners, people) for column, modalities in COLUMNS.items()}

    def mixed(self, count: int) -> list[Pair]:
        """One enrolled person's face with another's voice."""
        rng = np.random.default_rng([self.seed, 1])
        own = [pair for pair, owner in zip(self.pairs, self.owners, strict=True) if owner != NOBODY]
        pairs: list[Pair] = []
        while len(pairs) < count:
            first, second = (own[i] for i in rng.integers(len(own), size=2))
            if first[0].person != second[0].person:
                pairs.append((first[0], second[1]))
        return pairs

    def named(
        self, pairs: Sequence[Pair], probes: Probes, thresholds: Mapping[str, float]
    ) -> Labels:
        """Whom `identify` names [pairs], as an index of those enrolled, or NOBODY."""
        cosines = cosines_of(pairs, self.templates, probes.embeddings)
        used = [probes.used(pair) for pair in pairs]
        doubtful = [probes.doubtful(pair) for pair in pairs]
        found = np.full(len(pairs), NOBODY)
        for case in set(zip(used, doubtful, strict=True)):
            rows = np.array([case == pair for pair in zip(used, doubtful, strict=True)])
            odds = self.similarity.log_odds(
                {m: cosines[m][rows] for m in case[0]},
                contradict=[m for m in case[0] if m not in case[1]])
            above = odds.max(axis=1) >= thresholds[column_of(case[0])]
            found[rows] = np.where(above, odds.argmax(axis=1), NOBODY)
        return found


def draw_people(
    trials: Trials, strangers: Sequence[Pair], *, count: int, seed: int
) -> Draw:
    """Half of the people are enrolled, from `count` faces and clips each; the others are strangers,
    and so are those of the pairs `strangers`.

    Faces and voices are weighed as the other half tell each other apart, whom nobody is tried
    against later. On people of the training both would look better than they are, and not by the
    same amount.
    """
    names = trials.people.names
    order = np.random.default_rng(seed).permutation(len(names))
    enrolled = sorted(names[i] for i in order[: len(names) // 2])
    others = [name for name in names if name not in enrolled]
    return Draw(seed, enrolled, trials.similarity(others, count),
                trials.templates(enrolled, count), [*test_pairs(trials.people), *strangers])


@dataclass(frozen=True)
class Probes:
    """By file; what `identify` makes of a file's flaws stands below. given: what there is at all.
    """

    embeddings: Embeddings
    flaws: Mapping[Sample, tuple[Flaw, ...]]
    given: tuple[Modality, ...] = MODALITIES

    def __or__(self, others: Probes) -> Probes:
        """The others in the place of those of the same files."""
        return Probes({**self.embeddings, **others.embeddings}, {**self.flaws, **others.flaws},
                      self.given)

    def used(self, pair: Pair) -> tuple[Modality, ...]:
        """Those that are good enough, or all that there is where none is."""
        good = tuple(sample.modality for sample in pair
                     if sample.modality in self.given and not refusals(self.flaws[sample]))
        return good or self.given

    def doubtful(self, pair: Pair) -> tuple[Modality, ...]:
        """Those that may not contradict the other."""
        return tuple(sample.modality for sample in pair if not may_contradict(self.flaws[sample]))


def probe(
    identifier: Identifier, faces: Mapping[Sample, Picture], clips: Mapping[Sample, Sound]
) -> Probes:
    """faces: crops. clips: float32 [samples] at 16 kHz."""
    embeddings = {face: identifier.embed(face=crop)["face"] for face, crop in faces.items()}
    embeddings |= {clip: identifier.embed(voice=sound)["voice"] for clip, sound in clips.items()}
    flaws = {face: face_quality(crop) for face, crop in faces.items()}
    flaws |= {clip: voice_quality(sound) for clip, sound in clips.items()}
    return Probes(embeddings, flaws)
