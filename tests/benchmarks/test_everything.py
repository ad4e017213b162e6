"""`python -m benchmarks all`: one file for a device, and whether it has become slower."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.everything import device_name, devices_table, measure_all
from benchmarks.regression import compare_latency, regression_table
from benchmarks.results import read_result, write_result
from edge_runtime.errors import UsageError

Run = Callable[..., subprocess.CompletedProcess[str]]
LATENCY = {
    "conditions": {"cpu": "Cortex-A76", "cores": 4, "governor": "ondemand", "memory_mib": 8000,
                   "python": "3.11.2", "interpreter": "ai-edge-litert 2.3.0", "threads": 1,
                   "load": 0.2},
    "results": [{"name": "float32", "recipe": "float32", "median_ms": {"total": 40.0}},
                {"name": "mixed", "recipe": "mixed_wi8", "median_ms": {"total": 20.0}}]}


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    content = copy.deepcopy(LATENCY)
    change(content)
    return content


def test_slower_is_said() -> None:
    def slow(content: dict[str, Any]) -> None:
        content["results"][0]["median_ms"]["total"] = 43.9
        content["results"][1]["median_ms"]["total"] = 22.1

    rows = compare_latency(changed(slow), LATENCY)
    assert [row["slower"] for row in rows] == [False, True]
    assert [row["ratio"] for row in rows] == [1.097, 1.105]
    assert regression_table(rows).splitlines()[3].split("|")[1:-1][-1].strip() == "yes"


@pytest.mark.parametrize(("key", "value", "reason"), [
    ("cpu", "Cortex-A72", "cpu is Cortex-A76 in one and Cortex-A72 in the other"),
    ("governor", "powersave", "governor is ondemand in one and powersave in the other"),
    ("interpreter", "tflite-runtime 2.14.0", "and tflite-runtime 2.14.0 in the other"),
    ("load", 3.1, r"load is 0\.2 in one and 3\.1 in the other"),
])
def test_unlike_conditions_are_refused(key: str, value: object, reason: str) -> None:
    now = changed(lambda content: content["conditions"].update({key: value}))
    with pytest.raises(UsageError, match=f"{reason}; measure both .*--force"):
        compare_latency(now, LATENCY)
    assert len(compare_latency(now, LATENCY, force=True)) == 2


def test_nothing_in_common() -> None:
    now = changed(lambda content: [r.update(name=f"new {r['name']}") for r in content["results"]])
    with pytest.raises(UsageError, match="found new float32, new mixed and before float32, mixed"):
        compare_latency(now, LATENCY)


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
    assert slower.stdout.splitlines()[-1].split("|")[-2].strip() == "yes"


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
