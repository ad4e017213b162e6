"""`python -m benchmarks latency`: its keys, its table, its refusals. Nothing is about speed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import latency
from benchmarks.latency import latency_table, measure_latency
from edge_runtime.errors import BundleError, UsageError

Run = Callable[..., subprocess.CompletedProcess[str]]
WARM = ("median_ms", "p90_ms", "p99_ms", "min_ms")
COLD = {"import_ms": 12.5, "load_ms": 1.0, "first_ms": 2.0, "cpu_ms": 9.0, "peak_mib": 80.0}


@pytest.fixture
def no_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "run_child", lambda *_: dict(COLD))


def check(content: dict[str, Any], bundles: list[Path]) -> None:
    assert [result["name"] for result in content["results"]] == [str(path) for path in bundles]
    for result in content["results"]:
        for key in WARM:
            assert set(result[key]) == {"face", "voice", "total"}
            assert all(ms > 0 for ms in result[key].values())
        for part in ("face", "voice", "total"):
            ordered = [result[key][part] for key in ("min_ms", "median_ms", "p90_ms", "p99_ms")]
            assert ordered == sorted(ordered)
        assert result["min_ms"]["total"] >= (result["min_ms"]["face"]
                                             + result["min_ms"]["voice"]) - 1e-3
        assert set(result["cold"]) == set(COLD)
        assert all(value > 0 for value in result["cold"].values())
    assert set(content["conditions"]) >= {"cpu", "threads", "rounds", "load", "interpreter"}


def test_json_of_the_command(small_bundles: dict[str, Path], run_python: Run) -> None:
    bundles = list(small_bundles.values())
    done = run_python("-m", "benchmarks", "latency", *bundles, "--rounds", 3, "--json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    check(content, bundles)
    assert [r["recipe"] for r in content["results"]] == list(small_bundles)
    assert content["conditions"]["rounds"] == 3 and content["conditions"]["threads"] == 1


def test_the_median_of_cold_starts(
    small_bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = iter([3.0, 1.0, 2.0])
    monkeypatch.setattr(latency, "run_child", lambda *_: COLD | {"import_ms": next(runs)})
    content = measure_latency([small_bundles["float32"]], threads=2, rounds=2)
    assert content["results"][0]["cold"] == COLD | {"import_ms": 2.0}
    assert content["conditions"]["threads"] == 2


def test_the_table(small_bundles: dict[str, Path], no_children: None) -> None:
    bundles = list(small_bundles.values())
    content = measure_latency(bundles, rounds=2)
    check(content, bundles)
    lines = latency_table(content).splitlines()
    assert len(lines) == 2 + len(bundles)
    for line, result in zip(lines[2:], content["results"], strict=True):
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        assert cells[:2] == [result["name"], result["recipe"]]
        assert cells[3] == f"{result['median_ms']['total']:.2f}"
        assert cells[-2:] == ["16", "80"]  # 12.5 + 1 + 2 ms


def test_an_uncertified_bundle_is_measured(
    changed_bundle: Callable[[dict[str, Any]], Path], no_children: None
) -> None:
    bundle = changed_bundle({"certified": False})
    check(measure_latency([bundle], rounds=1), [bundle])


@pytest.mark.parametrize(("threads", "rounds"), [(0, 1), (1, 0), (-1, 5)])
def test_numbers_below_one(small_bundles: dict[str, Path], threads: int, rounds: int) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        measure_latency([small_bundles["float32"]], threads=threads, rounds=rounds)


def test_a_bundle_named_twice(small_bundles: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="found one named twice"):
        measure_latency([small_bundles["float32"]] * 2)


def test_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="expected a bundle"):
        measure_latency([tmp_path])


def test_a_mistake_is_one_line(tmp_path: Path, run_python: Run) -> None:
    done = run_python("-m", "benchmarks", "latency", tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("python -m benchmarks: ")
