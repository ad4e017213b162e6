"""`python -m benchmarks all`: one file for a device, and whether it has become slower."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.report.compare import device_name, devices_table, measure_all
from benchmarks.results.schema import read_result, write_result
from edge_runtime.errors import UsageError

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_the_command(small_bundles: dict[str, Path], run_python: Run, tmp_path: Path) -> None:
    out = tmp_path / "results" / "pi.json"
    first = run_python("-m", "benchmarks", "all", small_bundles["mixed_wi8"], "--rounds", 2,
                       "--out", out)
    assert first.returncode == 0, first.stderr
    content = read_result(out)
    assert content["device"] == device_name()
    for part in ("latency", "size", "roofline"):
        assert [result["name"] for result in content[part]["results"]] == ["mixed_wi8"]
    assert str(tmp_path) not in out.read_text() and str(small_bundles["mixed_wi8"]) not in (
        out.read_text())
    (row,) = devices_table({"pi": content}).splitlines()[2:]
    assert row.split("|")[1].strip() == "pi" and row.split("|")[2].strip() == "mixed_wi8"
    # A machine that was a hundred times as fast, and otherwise the same.
    content["latency"]["results"][0]["median_ms"]["total"] /= 100
    write_result(out, content)
    slower = run_python("-m", "benchmarks", "all", small_bundles["mixed_wi8"], "--rounds", 2,
                        "--out", tmp_path / "now.json", "--against", out, "--force")
    assert slower.returncode == 1, slower.stderr
    assert any(line.startswith("| mixed_wi8 ") and line.endswith(" yes |")
               for line in slower.stdout.splitlines())


def test_mistakes(small_bundles: dict[str, Path], run_python: Run, tmp_path: Path) -> None:
    other = run_python("-m", "benchmarks", "all", small_bundles["float32"], "--against",
                       "benchmarks/results/latency.json")
    assert other.returncode == 2 and "found 'benchmarks latency'" in other.stderr
    (tmp_path / "old.json").write_text(json.dumps({"schema": 0}))
    old = run_python("-m", "benchmarks", "all", small_bundles["float32"], "--against",
                     tmp_path / "old.json")
    assert old.returncode == 2 and "schema 1, found 0" in old.stderr
    same = tmp_path / "mixed_wi8"
    with pytest.raises(UsageError, match="folders of different names, found mixed_wi8, mixed_wi8"):
        measure_all([small_bundles["mixed_wi8"], same])
