"""How often a stranger gets a name, and somebody enrolled gets none: ISO/IEC 19795-1, open set.

FPIR: the share of strangers' probes that anybody's name is given to. FNIR: the share of enrolled
people's probes that their own name is not given to, be it another's or none. Probes are embeddings
of people on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.dataset.collection import Collection
from edge_runtime.dataset.people import People, Sample, test_pairs
from edge_runtime.decision.identify import Identifier
from edge_runtime.decision.similarity import Similarity, fit_similarity
from edge_runtime.evaluation.accuracy import Pair, equal_error_rate, noisy, people_interval
from edge_runtime.gallery.roster import mean_template
from edge_runtime.modalities import MODALITIES, Modality
from edge_runtime.signals.voice import Sound, pink_noise

Array = npt.NDArray[np.floating]
Labels = npt.NDArray[np.integer]
NOBODY = -1


@dataclass(frozen=True)
class OpenSet:
    """Outcomes of probes, best first scores only; any threshold may be held against them.

    genuine [n]: the score of enrolled people's probes, minus infinity where another's was higher.
    genuine_people [n]: whose they are. impostor [m]: the highest score of strangers' probes.
    impostor_people [m]: whose they are.
    """

    genuine: Array
    genuine_people: Labels
    impostor: Array
    impostor_people: Labels

    def fpir(self, threshold: float) -> float:
        return float(np.mean(self.impostor >= threshold))

    def fnir(self, threshold: float) -> float:
        return float(np.mean(self.genuine < threshold))

    def fpir_bound(self, threshold: float) -> float:
        """What the FPIR is below, with 95 % confidence: a bootstrap over people, who are not alike;
        where no probe was accepted, 3 in the number of probes (Hanley and Lippman-Hand, If nothing
        goes wrong, is everything all right?, 1983)."""
        accepted = (self.impostor >= threshold).astype(np.float64)
        _, high = people_interval(accepted, self.impostor_people, level=0.90)
        return max(high, 3 / accepted.size)

    def threshold_at(self, fpir: float) -> float:
        """The lowest threshold with an FPIR of at most `fpir` on these strangers."""
        ordered = np.sort(self.impostor)[::-1]
        accepted = int(np.floor(fpir * ordered.size + 1e-9))
        if accepted >= ordered.size:
            return -np.inf
        return float(np.nextafter(ordered[accepted], np.inf))

    def threshold_within(self, rate: float) -> float | None:
        """The lowest threshold whose FPIR is at most `rate` with 95 % confidence; None where there
        are too few strangers to say."""
        candidates = np.unique(self.impostor)
        candidates = np.nextafter(candidates, np.inf)
        low, high = 0, len(candidates) - 1
        if self.fpir_bound(float(candidates[high])) > rate:
            return None
        while low < high:
            middle = (low + high) // 2
            if self.fpir_bound(float(candidates[middle])) <= rate:
                high = middle
            else:
                low = middle + 1
        return float(candidates[low])

    def equal_error_rate(self) -> float:
        """Where FPIR and FNIR cross; somebody enrolled who is named wrongly counts at any
        threshold, so that there may be no crossing below 1."""
        return equal_error_rate(self.genuine, self.impostor)

    def curve(self, points: int = 200) -> list[tuple[float, float]]:
        """FPIR and FNIR along the thresholds, for a plot."""
        known = self.impostor[np.isfinite(self.impostor)]
        if not known.size:
            return []
        thresholds = np.quantile(known, np.linspace(0, 1, points))
        return [(self.fpir(float(t)), self.fnir(float(t))) for t in thresholds]


def open_set(
    scores: Array, owners: Labels, people: Labels, *, leave_one_out: bool = False
) -> OpenSet:
    """Outcomes of probes tried against everybody enrolled.

    scores [probes, enrolled], higher for more alike. owners [probes]: the column of a probe's own
    person, NOBODY for a stranger. people [probes]: whose each probe is. With leave_one_out,
    enrolled people's probes are also tried as strangers', against everybody else.
    """
    rows = np.arange(len(scores))
    enrolled = owners != NOBODY
    own = np.where(enrolled, scores[rows, owners], -np.inf)
    others = scores.astype(np.float64)
    others[rows[enrolled], owners[enrolled]] = -np.inf
    highest = others.max(axis=1) if scores.shape[1] else np.full(len(scores), -np.inf)
    genuine = np.where(own > highest, own, -np.inf)
    strangers = np.ones_like(enrolled) if leave_one_out else ~enrolled
    return OpenSet(genuine[enrolled], people[enrolled], highest[strangers], people[strangers])


ENROLLED_FROM = 3  # files of each modality

# Faces and voices are weighed by clean clips and by the same in noise: by clean ones alone a voice
# has too much of a say in noise. Of people of kiosk95 whom training has not seen, in other noise at
# 5 dB, the EER of both is 9.0 % and not 13.4 % (by the face alone 15.7 %), and clean the same.
FITTED_SNR_DB = 0.0

Embeddings = Mapping[Sample, Array]


@dataclass(frozen=True)
class Trials:
    """Embeddings [dim] of every file as it is, and of the test clips in pink noise."""

    people: People
    clean: Embeddings
    in_noise: Embeddings

    def templates(
        self, names: Sequence[str], count: int = ENROLLED_FROM
    ) -> dict[Modality, Array]:
        """[people, dim], of length 1, from each one's first `count` training files."""
        found: dict[Modality, Array] = {}
        for modality in MODALITIES:
            files: dict[str, list[Array]] = {name: [] for name in names}
            for sample in self.people.of(modality, "train"):
                if sample.person in files and len(files[sample.person]) < count:
                    files[sample.person].append(self.clean[sample])
            found[modality] = np.stack([mean_template(np.stack(files[name])) for name in names])
        return found

    def similarity(self, names: Sequence[str], count: int = ENROLLED_FROM) -> Similarity:
        """Log-odds by the test files of some people against each other."""
        pairs = [pair for pair in test_pairs(self.people) if pair[0].person in names]
        own = np.array([[face.person == name for name in names] for face, _ in pairs])
        templates = self.templates(names, count)
        cosines = [cosines_of(pairs, templates, probes)
                   for probes in (self.clean, {**self.clean, **self.in_noise})]
        return fit_similarity(
            {m: np.concatenate([found[m][own] for found in cosines]) for m in MODALITIES},
            {m: np.concatenate([found[m][~own] for found in cosines]) for m in MODALITIES})


def cosines_of(
    pairs: Sequence[Pair], templates: Mapping[Modality, Array], probes: Embeddings
) -> dict[Modality, Array]:
    """[pairs, people] of each modality."""
    faces = np.stack([probes[face] for face, _ in pairs])
    clips = np.stack([probes[clip] for _, clip in pairs])
    return {"face": faces @ templates["face"].T, "voice": clips @ templates["voice"].T}


def embed_all(identifier: Identifier, collection: Collection) -> Trials:
    """Every file through the bundle's networks."""
    people = collection.people
    noises = [pink_noise(np.random.default_rng(0))]
    clean = embed(identifier, collection, people.samples)
    in_noise = embed(identifier, collection, people.of("voice", "test"),
                     lambda clip, sound: noisy(clip, sound, noises, FITTED_SNR_DB))
    return Trials(people, clean, in_noise)


def embed(
    identifier: Identifier, collection: Collection, samples: Iterable[Sample],
    heard: Callable[[Sample, Sound], Sound] = lambda clip, sound: sound,
) -> dict[Sample, Array]:
    """Embeddings [dim] of files. heard: what becomes of a clip before."""
    return {sample: identifier.embed(face=collection.faces[sample])["face"]
            if sample.modality == "face" else
            identifier.embed(voice=heard(sample, collection.clips[sample]))["voice"]
            for sample in samples}
