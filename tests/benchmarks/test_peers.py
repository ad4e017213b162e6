"""Peers are timed in turn with our own networks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.peers import measure
from benchmarks.peers.measure import PEERS, measure_peers, peers_table
from edge_runtime.errors import UsageError


def test_peers_are_compared(
    small_bundles: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Models that are there already are taken; here the float32 network stands for each."""
    for name in PEERS:
        shutil.copy(small_bundles["float32"] / "face.tflite", tmp_path / f"{name}.tflite")
    monkeypatch.setattr(measure, "IMAGE_SIZE", 64)
    content = measure_peers([small_bundles["float32"], small_bundles["mixed_wi8"]], tmp_path,
                            rounds=3)
    assert [r["name"] for r in content["results"]] == ["ours, float32", "ours, mixed_wi8", *PEERS]
    assert min(r["ratio"] for r in content["results"][:2]) == 1
    for result in content["results"]:
        assert 0 < result["min_ms"] <= result["median_ms"] <= result["p90_ms"]
        assert result["partitions"] == 1
    assert peers_table(content).count("naive_int8") == 1


def test_networks_for_other_pictures_are_refused(
    small_bundles: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="for pictures of 256 pixels, found 64; make one with"):
        measure_peers([small_bundles["float32"]], tmp_path)
    assert not list(tmp_path.iterdir())
