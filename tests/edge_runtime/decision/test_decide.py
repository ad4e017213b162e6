"""Decisions by candidates that are handed over, without any gallery."""

from __future__ import annotations

import numpy as np

from edge_runtime.decision.decide import Candidates, among_enrolled


def row(*cosines: float) -> np.ndarray:
    return np.array(cosines, np.float32)


def test_who_was_rejected_is_left_out_by_either_modality() -> None:
    """Anna looks less like herself than like somebody who is not; Ben has no face to compare."""
    nan = float("nan")
    found = among_enrolled(Candidates(
        ("Anna", "Ben", "Cleo"), {"face": row(0.9, nan, 0.3), "voice": row(0.8, 0.7, 0.2)},
        {"face": row(0.95, 0.1, nan), "voice": row(nan, nan, 0.1)}))
    assert found.left_out == ("Anna", "Ben") and found.reason == "no_thresholds"
    np.testing.assert_allclose(found.scores["fused"], [-1, -1, 0.25], atol=1e-6)
