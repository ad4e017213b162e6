"""What a few seconds of camera and microphone say together, and names that do not flicker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.modalities import Modality

Array = npt.NDArray[np.floating]

HALF_LIFE_S = 1.5  # what was seen so long ago counts half
FRESH_S = 5.0  # what is older says nothing about who is there now
NAME_AFTER_S = 0.15  # somebody is named once no other decision came for so long: two looks
FORGET_AFTER_S = 2.0  # and stays named for so long after the last decision for them
GONE_S = 0.8  # without a face, so that whoever was there is taken for gone
HEARD_S = 1.5  # for which what was said of the last clip holds
NOBODY_AFTER_S = 2.5  # of looking at somebody before they are said to be nobody who is known


class Evidence:
    """A running mean of rows [n] of one modality each: embeddings, or logarithms of scores.

    Means of embeddings and of log-scores are both sums of what single views say, so that many
    doubtful views of one person become a sure one, and one odd view is outvoted.
    """

    def __init__(self) -> None:
        self._sums: dict[Modality, tuple[Array, float, float]] = {}

    def add(self, modality: Modality, row: Array, time_s: float, weight: float = 1.0) -> None:
        """time_s: when it was seen or heard, by any clock that only goes forward."""
        total, weights, before_s = self._sums.get(modality, (np.zeros_like(row), 0.0, time_s))
        if time_s - before_s > FRESH_S:
            total, weights = np.zeros_like(row), 0.0
        faded = 0.5 ** (max(time_s - before_s, 0.0) / HALF_LIFE_S)
        self._sums[modality] = (faded * total + weight * row, faded * weights + weight,
                                max(time_s, before_s))

    def means(self, time_s: float) -> dict[Modality, Array]:
        """By modality, those that are fresh."""
        return {modality: total / weights for modality, (total, weights, last_s)
                in self._sums.items() if time_s - last_s <= FRESH_S}

    def clear(self) -> None:
        """Nobody is there any more: who comes next is somebody else."""
        self._sums.clear()


class Visit:
    """One after the other before the camera. since_s: when the last one came or went; what was seen
    and heard before is of somebody else."""

    def __init__(self) -> None:
        self.since_s = -np.inf
        self._face_s = -np.inf  # minus infinity: nobody is there
        self._missed = False  # whether the last picture was without a face

    def see(self, face: bool, time_s: float) -> bool:
        """A picture, with a face or without one -> whether somebody has come or gone."""
        away_s = time_s - self._face_s
        # One such picture may be a bad one, and a camera that paused has not seen anybody go.
        gone = self._missed and GONE_S <= away_s < np.inf
        changed = gone or (face and away_s >= FORGET_AFTER_S)
        if changed:
            self.since_s = time_s
        if face:
            self._face_s = time_s
        elif gone:
            self._face_s = -np.inf
        self._missed = not face
        return changed


@dataclass
class SteadyName:
    """Hysteresis over decisions: who is named, and since when."""

    named: str | None = None
    since_s: float = 0.0
    _candidate: str | None = None
    _candidate_since_s: float = 0.0
    _confirmed_s: float = 0.0

    def update(self, person: str | None, time_s: float) -> str | None:
        """A decision of now (None for nobody) -> who is named."""
        if person != self._candidate:
            self._candidate, self._candidate_since_s = person, time_s
        if person is not None and person == self.named:
            self._confirmed_s = time_s
        elif person is not None and time_s - self._candidate_since_s >= NAME_AFTER_S:
            self.named, self.since_s, self._confirmed_s = person, time_s, time_s
        else:
            self.wait(time_s)
        return self.named

    def wait(self, time_s: float) -> str | None:
        """Nothing was seen or heard since the last decision -> who is named."""
        if self.named is not None and time_s - self._confirmed_s >= FORGET_AFTER_S:
            self.named, self.since_s = None, time_s
        return self.named

    def doubt(self) -> None:
        """Somebody has come, perhaps another: who is named stays so only if the next decision is
        for them."""
        self._candidate, self._confirmed_s = None, -np.inf
