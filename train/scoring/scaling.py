"""Score scaling: temperature and weight of each modality, fitted on validation data.

First each temperature alone (Guo et al., On Calibration of Modern Neural Networks, 2017, arXiv
1706.04599, section 4.2), then both weights: logistic regression on the logarithms of the scores,
as scores of biometric systems are fused (Brummer and du Preez, Application-independent evaluation
of speaker detection, 2006).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from edge_runtime.bundle.manifest import Scaling, ScoreScaling
from edge_runtime.decision.scoring import Scores, fuse

PRIOR = 1.0  # standard deviation of the logarithms, so that a few files do not say too much

Array = npt.NDArray[np.float64]


def fit_scaling(face: Scores, voice: Scores, labels: npt.NDArray[np.int64]) -> ScoreScaling:
    """The likeliest scaling, given the labels and that factors of 1 were likely before.

    face, voice: scores [pairs, people]; labels [pairs].
    """
    rows = np.arange(len(labels))

    def fitted(count: int, scores_by: Callable[[Array], Scores]) -> Array:
        def loss(logs: Array) -> float:
            likelihood = scores_by(np.exp(logs))[rows, labels]
            surprise = np.sum(np.square(logs / PRIOR)) / 2
            return float(surprise - np.sum(np.log(np.maximum(likelihood, 1e-12))))

        return np.exp(minimize(loss, np.zeros(count), method="Nelder-Mead",
                               options={"xatol": 1e-2, "fatol": 1e-5}).x)

    (face_temperature,) = fitted(1, lambda t: fuse(face, None, _scaling(t[0], 1, 1, 1)))
    (voice_temperature,) = fitted(1, lambda t: fuse(None, voice, _scaling(1, 1, t[0], 1)))

    def scaling(weights: Array) -> ScoreScaling:
        return _scaling(face_temperature, weights[0], voice_temperature, weights[1])

    return scaling(fitted(2, lambda weights: fuse(face, voice, scaling(weights))))


def _scaling(
    face_temperature: float, face_weight: float, voice_temperature: float, voice_weight: float
) -> ScoreScaling:
    return ScoreScaling(
        face=Scaling(temperature=float(face_temperature), weight=float(face_weight)),
        voice=Scaling(temperature=float(voice_temperature), weight=float(voice_weight)))
