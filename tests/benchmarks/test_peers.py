"""Peers are built for real, and timed in turn with our own networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.peers.build import FRONT_END, PAIR
from benchmarks.peers.measure import RATIOS, STOCK, build_stock, measure_peers, peers_table
from edge_runtime.errors import UsageError


@pytest.mark.slow
def test_peers_are_built_and_compared(tmp_path: Path) -> None:
    """For small pictures: the graphs are the same, so is how XNNPACK cuts them."""
    said: list[str] = []
    content = measure_peers(tmp_path, image_size=64, rounds=3, say=said.append)
    assert said == ["building ours", "building the peers"]
    assert set(content["ratios"]) == set(RATIOS)
    results = {result["name"]: result for result in content["results"]}
    assert list(results) == ["float32", "dynamic_wi8", "mixed_wi8", PAIR, FRONT_END, *STOCK]
    for result in results.values():
        assert 0 < result["min_ms"] <= result["median_ms"] <= result["p90_ms"]
    ratio = results["naive_int8"]["median_ms"] / results["mixed_wi8"]["median_ms"]
    assert content["ratios"]["naive_int8/mixed_wi8"] == pytest.approx(ratio, abs=1e-3)
    pieces = {name: result["partitions"] for name, result in results.items()}
    assert pieces["float32"] == pieces["mixed_wi8"] == pieces["naive_float32"] == 1
    assert pieces["naive_int8"] > 50 and pieces["textbook_float32"] > 5
    assert results["textbook_float32"]["bytes"] > 3 * results["textbook_dynamic"]["bytes"]
    assert results["textbook_float32"]["bytes"] > results["float32"]["bytes"]
    table = peers_table(content)
    assert table.count("| ours, ") == 5 and table.count("| naive_int8 ") == 1
    # What is there already is taken.
    kept = sorted(path.stat().st_mtime_ns for path in tmp_path.rglob("*.tflite"))
    build_stock(tmp_path, 64, said.append)
    assert len(said) == 2
    assert kept == sorted(path.stat().st_mtime_ns for path in tmp_path.rglob("*.tflite"))


def test_pictures_without_whole_patches_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--image-size expects a multiple of 64, found 100"):
        measure_peers(tmp_path, image_size=100)
    assert not list(tmp_path.iterdir())
