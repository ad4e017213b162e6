"""How well people are told apart: top-1 accuracy over pairs of a face and a clip, for voice, face
and both, with intervals that resample people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge_runtime.dataset.people import Sample
from edge_runtime.decision.scoring import fuse
from edge_runtime.signals.voice import Sound, mix_noise

if TYPE_CHECKING:  # a machine that trains on packed data has no msgspec
    from edge_runtime.bundle.manifest import ScoreScaling


def top1_accuracy(scores: npt.NDArray[np.floating], labels: npt.NDArray[np.integer]) -> float:
    """Share of rows whose highest score is the label's. scores [n, people], labels [n]."""
    return float(np.mean(np.argmax(scores, axis=1) == labels))


def people_interval(
    correct: npt.NDArray[np.floating], people: npt.NDArray[np.integer],
    *, level: float = 0.95, resamples: int = 2000, seed: int = 0,
) -> tuple[float, float]:
    """Bootstrap interval of a mean over trials, resampling people and never their trials.

    correct [n]: the outcome of each trial (0 or 1, or a difference of two for a paired interval).
    people [n]: whose trial it is. Trials of one person are not independent, so that an interval
    over trials would be too narrow. Returns (low, high), percentiles of `resamples` draws.
    """
    _, person = np.unique(people, return_inverse=True)
    sums = np.bincount(person, weights=correct.astype(np.float64))
    counts = np.bincount(person).astype(np.float64)
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(sums), size=(resamples, len(sums)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)


def equal_error_rate(
    genuine: npt.NDArray[np.floating], impostor: npt.NDArray[np.floating]
) -> float:
    """The rate at which false accepts equal false rejects, between the two nearest thresholds.

    genuine [n], impostor [m]: scores, higher for more alike.
    """
    thresholds = np.unique(np.concatenate([genuine, impostor]))
    rejects = np.searchsorted(np.sort(genuine), thresholds, side="left") / genuine.size
    accepts = 1 - np.searchsorted(np.sort(impostor), thresholds, side="left") / impostor.size
    nearest = int(np.argmin(np.abs(rejects - accepts)))
    return float((rejects[nearest] + accepts[nearest]) / 2)


Scores = npt.NDArray[np.float32]
Pair = tuple[Sample, Sample]


@dataclass(frozen=True)
class PairScores:
    """Scores [pairs, people] of each column, and whom each pair shows, as an index."""

    pairs: Sequence[Pair]
    labels: npt.NDArray[np.int64]
    columns: dict[str, Scores]

    @property
    def main_column(self) -> str:
        """What a decision hangs on: the ensemble of a pair, or the fused network."""
        return "fused" if "fused" in self.columns else "ensemble"

    def correct(self, column: str) -> npt.NDArray[np.bool_]:
        named = np.argmax(self.columns[column], axis=1)
        return np.asarray(named == self.labels)

    def accuracy(self) -> dict[str, float]:
        """Share of pairs whose highest score is the right person's, per column."""
        return {column: float(self.correct(column).mean()) for column in self.columns}

    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % bootstrap intervals over people."""
        return {column: people_interval(self.correct(column).astype(np.float64), self.labels)
                for column in self.columns}


def score_pairs(
    pairs: Sequence[Pair], names: Sequence[str],
    face_scores: Mapping[Sample, Scores], voice_scores: Mapping[Sample, Scores],
    scaling: ScoreScaling | None = None,
) -> PairScores:
    """Put the scores [people] of single files together into those of pairs."""
    faces = np.stack([face_scores[face] for face, _ in pairs])
    voices = np.stack([voice_scores[clip] for _, clip in pairs])
    columns = {"face": faces, "voice": voices, "ensemble": fuse(faces, voices, scaling)}
    return PairScores(pairs, _labels(pairs, names), columns)


def fused_pairs(pairs: Sequence[Pair], names: Sequence[str], scores: Scores) -> PairScores:
    """The scores [pairs, people] of a network that takes both modalities."""
    return PairScores(pairs, _labels(pairs, names), {"fused": scores})


def _labels(pairs: Sequence[Pair], names: Sequence[str]) -> npt.NDArray[np.int64]:
    return np.array([names.index(face.person) for face, _ in pairs], np.int64)


def noisy(sample: Sample, clip: Sound, noises: Sequence[Sound], snr_db: float) -> Sound:
    """The clip with noise at `snr_db`; which stretch of which noise hangs on the file's path only,
    so that every network is tried on the same sound."""
    digest = hashlib.sha256(sample.path.encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    return mix_noise(clip, noises[int(rng.integers(len(noises)))], snr_db, rng)
