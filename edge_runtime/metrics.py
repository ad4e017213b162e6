"""How well people are told apart: top-1 accuracy with intervals that resample people."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


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
