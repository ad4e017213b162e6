"""People whom training has not seen, enrolled and strangers, through the command line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.open_set import open_set_table

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def measured(run_python: Run, small_bundles: dict[str, Path], others: Path) -> dict[str, Any]:
    done = run_python("-m", "benchmarks", "open-set", small_bundles["float32"], "--data", others,
                      "--json")
    assert done.returncode == 0, done.stderr
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def test_rates_by_column(measured: dict[str, Any]) -> None:
    assert (measured["enrolled"], measured["strangers"], measured["files_each"]) == (3, 3, 3)
    assert list(measured["columns"]) == ["face", "voice", "both"]
    for found in measured["columns"].values():
        assert 0 <= found["equal_error_rate"] <= 1
        for rate, at in zip((0.1, 0.05, 0.01), found["at_fpir"].values(), strict=True):
            assert at["fpir"] <= rate and at["fpir"] <= at["fpir_bound"] and 0 <= at["fnir"] <= 1
    assert measured["mixed"]["pairs"] == 1000
    assert all(0 <= share <= 1 for share in measured["mixed"]["accepted"].values())
    table = open_set_table(measured)
    assert table.count("| both ") == 1 and table.count("(below ") == 9


def test_mistakes(
    run_python: Run, small_bundles: dict[str, Path], small_people: Path, others: Path
) -> None:
    known = run_python("-m", "benchmarks", "open-set", small_bundles["float32"], "--data",
                       small_people)
    assert known.returncode == 2
    assert "expected at least 4 people whom the bundle does not know, found 0" in known.stderr
    alone = run_python("-m", "benchmarks", "open-set", small_bundles["float32"], "--data", others,
                       "--snr", 5)
    assert alone.returncode == 2 and "--noise DIR and --snr DB go together" in alone.stderr
