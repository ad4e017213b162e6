"""From each network's scores to one row of scores: scaling, then addition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # reading a manifest takes msgspec, adding scores does not
    from edge_runtime.manifest import Scaling, ScoreScaling

Scores = npt.NDArray[np.float32]


def fuse(
    face: Scores | None, voice: Scores | None, scaling: ScoreScaling | None = None
) -> Scores:
    """Scores [..., people] of one or both modalities -> fused scores [..., people], summing to 1.

    Without `scaling`, the plain sum of the two softmax outputs, halved.
    """
    if face is None and voice is None:
        raise ValueError("nothing to fuse: neither face nor voice scores")
    if voice is None or face is None:
        alone = face if voice is None else voice
        assert alone is not None
        part = scaling and (scaling.face if voice is None else scaling.voice)
        return _tempered(alone, part) if part else alone
    if scaling is None:
        return (face + voice) / np.float32(2)
    weighted = (scaling.face.weight * _tempered(face, scaling.face)
                + scaling.voice.weight * _tempered(voice, scaling.voice))
    total = scaling.face.weight + scaling.voice.weight
    return np.asarray(weighted / max(total, 1e-9), np.float32)


def product(face: Scores, voice: Scores) -> Scores:
    """The other fusion of two scores [..., people]: multiplied, and brought to a sum of 1."""
    both = np.maximum(face, 1e-12, dtype=np.float64) * np.maximum(voice, 1e-12, dtype=np.float64)
    return np.asarray(both / both.sum(axis=-1, keepdims=True), np.float32)


def _tempered(scores: Scores, part: Scaling) -> Scores:
    """Softmax at another temperature: softmax(log(scores) / temperature)."""
    logits = np.log(np.maximum(scores, 1e-12, dtype=np.float64)) / part.temperature
    # Without the shift, a low temperature would leave nothing but zeros to divide by.
    powered = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powered / powered.sum(axis=-1, keepdims=True), np.float32)
