"""From how alike embeddings are to how likely they are of one person.

A cosine of 0.6 means something else between faces than between voices, and with another network.
Logistic regression on pairs of one person and of two brings both to log-odds, which add up: Brummer
and du Preez, Application-independent evaluation of speaker detection, 2006. Zero is where both are
equally likely, were they equally frequent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.people import MODALITIES, Modality

Array = npt.NDArray[np.floating]

# Without it, a face of one person with the voice of another was named in 56 % of trials, with it in
# 7 % (people of kiosk95 whom training has not seen, at 5 % of strangers: README, `benchmarks
# open-set`). More lets more such pairs through, less costs in noise.
CONTRADICTION = 2.0

_RIDGE = 1e-3  # or pairs that are told apart without a fault would make odds without end
_STEPS = 100


@dataclass(frozen=True)
class LogOdds:
    """offset + the sum over modalities of scale times cosine."""

    scale: Mapping[Modality, float]
    offset: float

    def of(self, cosines: Mapping[Modality, Array]) -> npt.NDArray[np.float64]:
        """cosines: of any shape, the same for all modalities -> log-odds of that shape."""
        total = np.asarray(self.offset, np.float64)
        for modality, scale in self.scale.items():
            total = total + scale * cosines[modality]
        return total


@dataclass(frozen=True)
class Similarity:
    """Log-odds for a face alone, a voice alone, and both."""

    face: LogOdds
    voice: LogOdds
    both: LogOdds

    def log_odds(
        self, cosines: Mapping[Modality, Array], *, contradict: bool = True
    ) -> npt.NDArray[np.float64]:
        """By what there is: cosines [..., people] of each modality -> [..., people].

        A cosine that is NaN, since nothing was enrolled of that modality, leaves the other one to
        decide. Minus infinity stands for whom there is no cosine of, and for whom one modality
        contradicts: somebody else is more likely by it than not, and by CONTRADICTION more likely.
        Thresholds are measured without (`contradict`): the more people are enrolled, the more are
        contradicted, and in a small gallery a threshold from a large one would be far too low.
        """
        alone = {m: _or_never(self.alone(m).of({m: known})) for m, known in cosines.items()}
        if len(alone) == 1:
            return next(iter(alone.values()))
        found = self.both.of(cosines)
        for modality, odds in alone.items():
            found = np.where(np.isnan(found) & ~np.isnan(cosines[modality]), odds, found)
        for modality, odds in alone.items() if contradict else ():
            most = odds.max(axis=-1, keepdims=True)
            contradicted = (most >= 0) & (odds <= most - CONTRADICTION)
            found = np.where(contradicted & ~np.isnan(cosines[modality]), -np.inf, found)
        return _or_never(found)

    def disagreement(self, cosines: Mapping[Modality, Array]) -> bool:
        """Whether by each of two modalities alone somebody else is more likely than not; cosines
        [people]."""
        best = {int(np.argmax(odds)) for modality, known in cosines.items()
                if (odds := self.log_odds({modality: known})).max() >= 0}
        return len(best) > 1

    def alone(self, modality: Modality) -> LogOdds:
        return self.face if modality == "face" else self.voice


PLAIN = Similarity(LogOdds({"face": 1.0}, 0.0), LogOdds({"voice": 1.0}, 0.0),
                   LogOdds({"face": 0.5, "voice": 0.5}, 0.0))
"""Ranks people where nothing was fitted; its numbers are mean cosines and no odds."""


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
