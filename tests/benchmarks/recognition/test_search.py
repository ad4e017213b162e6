"""`python -m benchmarks gallery`: its keys, its table, its limits."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from benchmarks.recognition.search import gallery_conditions, gallery_table, measure_gallery
from edge_runtime.errors import UsageError

MAX_MS = {1000: 2, 100_000: 100}


def test_json_of_the_command(run_python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = run_python("-m", "benchmarks", "gallery", "--people", 1000, 100_000, "--rounds", 20,
                      "--json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    assert [result["people"] for result in content["results"]] == list(MAX_MS)
    assert content["embedding_dim"] == 320 and content["conditions"]["rounds"] == 20
    for result in content["results"]:
        assert 0 < result["min_ms"] <= result["median_ms"] <= result["p90_ms"] <= result["p99_ms"]
        # Limits with much room: a median of 0.03 and 4 ms was seen.
        assert result["median_ms"] < MAX_MS[result["people"]]
        assert result["index_mib"] == pytest.approx(result["people"] * 320 * 4 / 2**20, abs=0.06)


def test_the_table() -> None:
    content = measure_gallery([10, 2000], rounds=3)
    lines = gallery_table(content).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["10", "2,000"]
    assert f"{content['results'][1]['median_ms']:.3f}" in lines[3]
    assert "templates of 320 numbers, on one core of" in gallery_conditions(content)


def test_numbers_below_one() -> None:
    for counts, rounds in (([0], 1), ([1], 0)):
        with pytest.raises(UsageError, match="at least 1"):
            measure_gallery(counts, rounds=rounds)
