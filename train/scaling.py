"""Score scaling: temperature and weight of each modality, fitted on validation data.

Temperature after Guo et al., On Calibration of Modern Neural Networks, 2017 (arXiv 1706.04599),
section 4.2; the weights are fitted with it, so that the surer modality counts for more.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from edge_runtime.manifest import Scaling, ScoreScaling
from edge_runtime.scoring import Scores, fuse

PRIOR = 1.0  # standard deviation of the logarithms, so that a few files do not say too much


def fit_scaling(face: Scores, voice: Scores, labels: npt.NDArray[np.int64]) -> ScoreScaling:
    """The likeliest scaling, given the labels and that plain addition was likely before.

    face, voice: scores [pairs, people]; labels [pairs]. The weights sum to 1.
    """
    rows = np.arange(len(labels))

    def loss(parameters: npt.NDArray[np.float64]) -> float:
        likelihood = fuse(face, voice, _scaling(parameters))[rows, labels]
        surprise = np.sum(np.square(parameters / PRIOR)) / 2
        return float(surprise - np.sum(np.log(np.maximum(likelihood, 1e-9))))

    return _scaling(minimize(loss, np.zeros(3), method="Nelder-Mead",
                             options={"xatol": 1e-2, "fatol": 1e-5}).x)


def _scaling(parameters: npt.NDArray[np.float64]) -> ScoreScaling:
    """From the logarithms of both temperatures, and of the face's weight over the voice's."""
    face_temperature, voice_temperature, balance = parameters
    weight = 1 / (1 + np.exp(-balance))
    return ScoreScaling(
        face=Scaling(temperature=float(np.exp(face_temperature)), weight=float(weight)),
        voice=Scaling(temperature=float(np.exp(voice_temperature)), weight=float(1 - weight)))
