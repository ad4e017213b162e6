"""From each network's scores to one row of scores: added as they are, or scaled and multiplied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # reading a manifest takes msgspec, adding scores does not
    from edge_runtime.bundle.manifest import ScoreScaling

Scores = npt.NDArray[np.float32]

LEAST_SCORE = 1e-12  # zero has no logarithm


def fuse(
    face: Scores | None, voice: Scores | None, scaling: ScoreScaling | None = None
) -> Scores:
    """Scores [..., people] of one or both modalities -> fused scores [..., people], summing to 1.

    Without `scaling`, the plain sum of the two softmax outputs, halved. With it, the logarithms of
    the scores, divided by each modality's temperature, are added by weight: what both deem
    possible wins over what one is sure of and the other denies. A modality alone needs no weight.
    """
    if face is None and voice is None:
        raise ValueError("nothing to fuse: neither face nor voice scores")
    if voice is None or face is None:
        alone = face if voice is None else voice
        assert alone is not None
        part = scaling and (scaling.face if voice is None else scaling.voice)
        return _softmax(_log(alone) / part.temperature) if part else alone
    if scaling is None:
        return (face + voice) / np.float32(2)
    return _softmax(scaling.face.weight / scaling.face.temperature * _log(face)
                    + scaling.voice.weight / scaling.voice.temperature * _log(voice))


def product(face: Scores, voice: Scores) -> Scores:
    """Two scores [..., people] multiplied, and brought to a sum of 1: scaling by 1."""
    return _softmax(_log(face) + _log(voice))


def _log(scores: Scores) -> npt.NDArray[np.float64]:
    return np.log(np.maximum(scores, LEAST_SCORE, dtype=np.float64))


def _softmax(logits: npt.NDArray[np.float64]) -> Scores:
    # Without the shift, a low temperature would leave nothing but zeros to divide by.
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)
