"""`python -m benchmarks latency`: its keys, its table, its refusals. Nothing is about speed."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cli import main
from benchmarks.cost import latency
from benchmarks.cost.latency import latency_table, measure_latency
from edge_runtime.errors import BundleError, UsageError

Run = Callable[..., subprocess.CompletedProcess[str]]
WARM = ("median_ms", "p90_ms", "p99_ms", "min_ms", "iqr_ms")
COLD = {"import_ms": 12.5, "load_ms": 1.0, "first_ms": 2.0, "cpu_ms": 9.0, "peak_mib": 80.0}


@pytest.fixture
def no_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "run_child", lambda *_: dict(COLD))


def check(content: dict[str, Any], bundles: list[Path]) -> None:
    assert [result["name"] for result in content["results"]] == [str(path) for path in bundles]
    for result in content["results"]:
        for key in WARM:
            assert set(result[key]) == {"face", "voice", "total"}
            assert all(ms > 0 for ms in result[key].values()) or key == "iqr_ms"
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
    for result in content["results"]:
        assert len(result["repeats_ms"]) == 3 and result["unstable"] in (True, False)
        assert result["partitions"] == {"face": 1, "voice": 1}
        manifest = (Path(result["name"]) / "manifest.json").read_bytes()
        assert result["sha256"] == hashlib.sha256(manifest).hexdigest()
        assert set(result["stages_ms"]) >= {"read_picture", "detect", "crop", "read_voice",
                                            "face_network", "voice_network", "decision", "fusion"}
        assert result["stages_ms"]["fusion"] < result["stages_ms"]["decision"]
        assert set(result["operations"]) == {"face", "voice"}
    assert content["not_detected"] is None
    assert [r["recipe"] for r in content["results"]] == list(small_bundles)
    assert content["conditions"]["rounds"] == 3 and content["conditions"]["threads"] == 1


def test_the_median_of_cold_starts(
    small_bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = iter([3.0, 1.0, 2.0])
    monkeypatch.setattr(latency, "run_child", lambda *_: COLD | {"import_ms": next(runs)})
    content = measure_latency([small_bundles["float32"]], threads=[2], rounds=2)
    assert content["results"][0]["cold"] == COLD | {"import_ms": 2.0}
    assert content["conditions"]["threads"] == 2


def test_several_numbers_of_threads(
    small_bundles: dict[str, Path], no_children: None
) -> None:
    content = measure_latency([small_bundles["float32"]], threads=[1, 2], rounds=2)
    assert [result["threads"] for result in content["results"]] == [1, 2]
    assert content["conditions"]["threads"] == [1, 2]
    header, _, *lines = latency_table(content).splitlines()
    column = header.split("|").index(next(c for c in header.split("|") if "threads" in c))
    assert [line.split("|")[column].strip() for line in lines] == ["1", "2"]


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
        assert cells[-4:] == ["no" if result["unstable"] else "yes", "16", "9", "80"]


def test_an_uncertified_bundle_is_measured(
    changed_bundle: Callable[[dict[str, Any]], Path], no_children: None
) -> None:
    bundle = changed_bundle({"certified": False})
    check(measure_latency([bundle], rounds=1), [bundle])


@pytest.mark.parametrize(("threads", "rounds"), [(0, 1), (1, 0), (-1, 5)])
def test_numbers_below_one(small_bundles: dict[str, Path], threads: int, rounds: int) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        measure_latency([small_bundles["float32"]], threads=[threads], rounds=rounds)


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


@pytest.mark.parametrize(("arguments", "message"), [
    (("--threads", "1,two"), "--threads expects numbers with commas"),
    (("--plot", "curve.png"), "--plot expects --sustained"),
    (("--sustained", "long"), "expects a duration such as"),
    (("--sustained", "1s", "--threads", "1,2"), "expects one number of --threads"),
])
def test_options_that_make_no_sense(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["latency", "nowhere", *arguments]) == 2
    assert message in capsys.readouterr().err
