"""`python -m benchmarks size`: bundles on disk, and what a device has to install."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from benchmarks.size import installed_sizes, measure_size, size_table
from edge_runtime.errors import BundleError

MAX_INSTALLED = 200_000_000  # bytes, what a device is asked to make room for


def test_json_of_the_command(
    small_bundles: dict[str, Path],
    run_python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = run_python("-m", "benchmarks", "size", *small_bundles.values(), "--json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    assert [r["recipe"] for r in content["results"]] == list(small_bundles)
    for result, folder in zip(content["results"], small_bundles.values(), strict=True):
        assert result["name"] == str(folder)
        for part in ("face", "voice"):
            assert result["bytes"][part] == (folder / f"{part}.tflite").stat().st_size
            assert 0 < result["gzip_bytes"][part] < result["bytes"][part]
        for key in ("bytes", "gzip_bytes"):
            assert set(result[key]) == {"face", "voice", "total"}
            assert result[key]["total"] == result[key]["face"] + result[key]["voice"]
        assert result["manifest_bytes"] == (folder / "manifest.json").stat().st_size
        assert 0 < result["manifest_gzip_bytes"] < result["manifest_bytes"]
    assert content["installed"]["bytes"]["total"] < MAX_INSTALLED


def test_what_is_installed() -> None:
    sizes = installed_sizes()
    assert {"visavox", "numpy", "ai-edge-litert", "msgspec", "pillow", "soundfile",
            "soxr"} <= set(sizes)
    assert not {"tensorflow", "keras", "librosa", "torch", "pytest"} & set(sizes)
    assert sizes["total"] == sum(size for name, size in sizes.items() if name != "total")
    assert sizes["numpy"] > 10_000_000 and sizes["ai-edge-litert"] > 5_000_000
    assert sizes["total"] < MAX_INSTALLED


def test_every_requirement_of_the_base_install_is_counted() -> None:
    sizes = installed_sizes()
    for requirement in metadata.requires("visavox") or []:
        if "extra ==" not in requirement:
            name = requirement.split(">")[0].split("=")[0].split("<")[0].strip().lower()
            assert name in sizes


def test_the_table(small_bundles: dict[str, Path]) -> None:
    content = measure_size([small_bundles["float32"]])
    bundles, installed = size_table(content).split("\n\n")
    result = content["results"][0]
    assert f"{result['bytes']['total'] / 1e6:.2f}" in bundles.splitlines()[2]
    lines = installed.splitlines()[2:]
    assert len(lines) == len(content["installed"]["bytes"])
    assert "total" in lines[-1]


def test_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="expected a bundle"):
        measure_size([tmp_path])
