"""A decision takes candidates as a value, and knows no gallery."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import edge_runtime
from edge_runtime.decision.decide import Candidates, among_enrolled

FOLDER = Path(edge_runtime.__file__).parent


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


@pytest.mark.parametrize("name", ["candidates", "decide", "identify", "similarity", "watch"])
def test_decisions_import_no_gallery(name: str) -> None:
    """Neither for types alone nor within a function."""
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import)
                 for alias in node.names}
    assert not {found for found in imported if found.startswith("edge_runtime.gallery")}
