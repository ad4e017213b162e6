"""From how alike embeddings are to how likely they are of one person.

A cosine of 0.6 means something else between faces than between voices, and with another network.
Logistic regression on pairs of one person and of two brings both to log-odds, which add up: Brummer
and du Preez, Application-independent evaluation of speaker detection, 2006. Zero is where both are
equally likely, were they equally frequent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from edge_runtime.modalities import MODALITIES, Modality

Array = npt.NDArray[np.floating]

# Log-odds by which a stranger, or somebody else, has to be more likely by one modality alone. With
# no such rule one person's face with another's voice got a name in 43 % of trials, with it in 1.5 %
# (people of kiosk95 whom training has not seen, at 5 % of strangers: `benchmarks open-set`). Less
# lets fewer such pairs through, and leaves more people without a name.
CONTRADICTION = 0.5
LEAST_LENGTH = 1e-12  # of a mean of embeddings, by which it is divided

_RIDGE = 1e-3  # or pairs that are told apart without a fault would make odds without end
_STEPS = 100


class LogOdds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """offset + the sum over modalities of scale times cosine."""

    scale: dict[Modality, float]
    offset: float

    def of(self, cosines: Mapping[Modality, Array]) -> npt.NDArray[np.float64]:
        """cosines: of any shape, the same for all modalities -> log-odds of that shape."""
        total = np.asarray(self.offset, np.float64)
        for modality, scale in self.scale.items():
            total = total + scale * cosines[modality]
        return total


class Similarity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Log-odds for a face alone, a voice alone, and both."""

    face: LogOdds
    voice: LogOdds
    both: LogOdds

    def log_odds(
        self, cosines: Mapping[Modality, Array], *, contradict: Collection[Modality] = MODALITIES
    ) -> npt.NDArray[np.float64]:
        """By what there is: cosines [..., people] of each modality -> [..., people].

        A cosine that is NaN, since nothing was enrolled of that modality, leaves the other one to
        decide. Minus infinity stands for whom there is no cosine of, and for whom one modality
        that may (`contradict`) contradicts: by it a stranger, or somebody else enrolled, is more
        likely than they by CONTRADICTION. Thresholds are measured without: the more people are
        enrolled, the more are contradicted, and in a small gallery a threshold from a large one
        would be far too low.
        """
        alone = {m: _or_never(self.alone(m).of({m: known})) for m, known in cosines.items()}
        if len(alone) == 1:
            return next(iter(alone.values()))
        found = self.both.of(cosines)
        for modality, odds in alone.items():
            found = np.where(np.isnan(found) & ~np.isnan(cosines[modality]), odds, found)
        for modality, odds in alone.items():
            if modality in contradict:
                found = np.where(_contradicted(odds) & ~np.isnan(cosines[modality]), -np.inf, found)
        return _or_never(found)

    def disagreement(self, cosines: Mapping[Modality, Array]) -> bool:
        """Whether of two modalities one speaks for whom both together speak most for, and the other
        contradicts; cosines [people]."""
        best = int(np.argmax(self.log_odds(cosines, contradict=())))
        alone = [self.log_odds({m: known}) for m, known in cosines.items()
                 if not np.isnan(known[best])]
        return (any(odds[best] >= 0 for odds in alone)
                and any(_contradicted(odds)[best] for odds in alone))

    def alone(self, modality: Modality) -> LogOdds:
        return self.face if modality == "face" else self.voice


PLAIN = Similarity(LogOdds({"face": 1.0}, 0.0), LogOdds({"voice": 1.0}, 0.0),
                   LogOdds({"face": 0.5, "voice": 0.5}, 0.0))
"""Ranks people where nothing was fitted; its numbers are mean cosines, no odds, and contradict
nobody."""


def _contradicted(odds: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """By one modality's log-odds [..., people], minus infinity for whom it does not know."""
    most = np.maximum(odds.max(axis=-1, keepdims=True), 0)  # zero is a stranger
    return np.asarray(odds <= most - CONTRADICTION)


def _or_never(odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(np.isnan(odds), -np.inf, odds)


def fit_similarity(
    same: Mapping[Modality, Array], different: Mapping[Modality, Array]
) -> Similarity:
    """same, different: by modality the cosines [n] of pairs of one person and [m] of two, row by
    row of the same probe. Either kind of pair has the same weight in all, however many there are.
    """
    def fitted(*names: Modality) -> LogOdds:
        scales, offset = _logistic(*(np.stack([pairs[m] for m in names], axis=1).astype(np.float64)
                                     for pairs in (same, different)))
        return LogOdds(dict(zip(names, scales, strict=True)), offset)

    return Similarity(fitted("face"), fitted("voice"), fitted(*MODALITIES))


def _logistic(same: Array, different: Array) -> tuple[list[float], float]:
    """Newton's method: cosines [n, k] and [m, k] -> scales [k], never negative, and offset."""
    rows = np.concatenate([same, different])
    rows = np.column_stack([rows, np.ones(len(rows))])
    target = np.repeat([1.0, 0.0], [len(same), len(different)])
    weight = np.repeat([0.5 / len(same), 0.5 / len(different)], [len(same), len(different)])
    ridge = np.diag([_RIDGE / 100] * same.shape[1] + [0.0])
    found = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        share = 1 / (1 + np.exp(-np.clip(rows @ found, -60, 60)))
        slope = rows.T @ (weight * (share - target)) + ridge @ found
        curve = (rows.T * (weight * share * (1 - share))) @ rows + ridge
        step = np.linalg.solve(curve + 1e-12 * np.eye(len(found)), slope)
        found -= step * min(1.0, 10 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    return [max(float(scale), 0.0) for scale in found[:-1]], float(found[-1])
