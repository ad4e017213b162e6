"""`python -m benchmarks roofline`: its keys, its floor, its tables. Nothing is about speed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cost.graph import Layer
from benchmarks.cost.roofline import MOVED, PUBLISHED, SIDE, Peak, measure_roofline, roofline_tables
from edge_runtime.errors import UsageError

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def measured(small_bundles: dict[str, Path]) -> dict[str, Any]:
    return measure_roofline([small_bundles["mixed_wi8"]], rounds=3)


def test_the_floor_is_the_slower_of_work_and_bytes() -> None:
    peak = Peak(float32=100, int8=400, bandwidth=10)  # GFLOP/s, GOP/s, GB/s
    busy, moving = 5_000_000, 2_000_000
    assert peak.floor_ms(Layer("CONV_2D", "a", busy, 0, False)) == pytest.approx(0.1)
    assert peak.floor_ms(Layer("CONV_2D", "a", busy, 0, True)) == pytest.approx(0.025)
    assert peak.floor_ms(Layer("CONV_2D", "a", busy, moving, False)) == pytest.approx(0.2)
    assert peak.floor_ms(Layer("RESHAPE", "a", 0, 0, False)) == 0


def test_a_peak_is_the_quickest_run() -> None:
    times = {"float32": [30.0, 20.0], "int8": [5.0, 9.0],
             **{f"sum of {size}": [1.0, 2.0] for size in MOVED}}
    peak = Peak.best_of(times)
    assert peak.float32 == pytest.approx(2 * SIDE**3 / 20e6)
    assert peak.int8 == pytest.approx(2 * SIDE**3 / 5e6)
    assert peak.bandwidth == pytest.approx(max(MOVED) / 1e6)


def test_keys(measured: dict[str, Any]) -> None:
    (result,) = measured["results"]
    assert set(result["networks"]) == {"face", "voice"}
    for network in result["networks"].values():
        assert network["ratio"] == pytest.approx(network["median_ms"] / network["floor_ms"], 0.01)
        for key in ("macs", "bytes", "floor_ms"):
            assert sum(kind[key] for kind in network["kinds"].values()) == pytest.approx(
                network[key], abs=1e-2)
        assert len(network["worst"]) == 5
        gaps = [layer["alone_ms"] - layer["floor_ms"] for layer in network["worst"]]
        assert gaps == sorted(gaps, reverse=True)
        assert network["alone_ms"] > 0
    total = result["total"]
    assert total["macs"] == sum(n["macs"] for n in result["networks"].values())
    assert set(total["predicted_ms"]) == set(PUBLISHED)
    assert measured["peak"]["int8"] > 0 and measured["conditions"]["clock"] == "processor time"


def test_tables(measured: dict[str, Any]) -> None:
    text = roofline_tables(measured)
    assert text.count("| mixed_wi8 |") == 3 + 2 + 10  # with both, gaps, worst layers
    assert "**Predicted**, not measured" in text
    assert all(f"| {device}" in text for device in PUBLISHED)


def test_the_command(small_bundles: dict[str, Path], run_python: Run, tmp_path: Path) -> None:
    done = run_python("-m", "benchmarks", "roofline", small_bundles["float32"], "--rounds", 2,
                      "--threads", 2, "--json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    assert content["results"][0]["networks"]["face"]["int8_macs"] == 0
    assert content["conditions"]["clock"] == "wall"
    none = run_python("-m", "benchmarks", "roofline", tmp_path)
    assert none.returncode == 2 and "expected a bundle" in none.stderr
    assert len(none.stderr.splitlines()) == 1


def test_mistakes(small_bundles: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        measure_roofline([small_bundles["float32"]], rounds=0)
    with pytest.raises(UsageError, match="found one named twice"):
        measure_roofline([small_bundles["float32"]] * 2)
