"""Peers are built for real, and timed in turn with our own networks; libraries that only their
environments have are left out with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.cli import main
from benchmarks.peers import environments
from benchmarks.peers.build import FRONT_END, PAIR, STOCK, Network, build_onnx, build_stock, ours
from benchmarks.peers.environments import ENVIRONMENTS, set_up
from benchmarks.peers.measure import RATIOS, compare, measure_peers, peers_table
from edge_runtime.errors import UsageError


@pytest.mark.slow
def test_peers_are_built_and_compared(small_bundles: dict[str, Path], tmp_path: Path) -> None:
    """For small pictures: the graphs are the same, so is how XNNPACK cuts them."""
    said: list[str] = []
    stock = build_stock(tmp_path, 64, said.append)
    content = compare(ours(small_bundles, small_bundles["mixed_wi8"], tmp_path) | stock,
                      tmp_path, 1, 3)
    results = {result["name"]: result for result in content["results"]}
    assert list(results) == [*small_bundles, PAIR, FRONT_END, *STOCK]
    for result in results.values():
        assert 0 < result["min_ms"] <= result["median_ms"] <= result["p90_ms"]
        assert result["library"].startswith("ai-edge-litert 2.")
    pieces = {name: result["partitions"] for name, result in results.items()}
    assert pieces["float32"] == pieces["mixed_wi8"] == pieces["naive_float32"] == 1
    assert pieces["naive_int8"] > 50 and pieces["textbook_float32"] > 5 and pieces[PAIR] == 2
    assert results["textbook_float32"]["bytes"] > 3 * results["textbook_dynamic"]["bytes"]
    assert results["textbook_float32"]["bytes"] > results["float32"]["bytes"]
    assert results[FRONT_END]["bytes"] <= 300_000  # what it may add to a file
    assert results[PAIR]["bytes"] == sum((small_bundles["mixed_wi8"] / f"{part}.tflite").stat()
                                         .st_size for part in ("face", "voice"))
    check_ratios(content)
    missing = {"librosa", *(f"tflite_runtime_{name}" for name in (*small_bundles, *STOCK))}
    assert set(content["left_out"]) == missing
    assert "peers --setup" in content["left_out"]["librosa"]
    shown = peers_table(content)
    assert shown.count("| ours, ") == 5 and shown.count("| naive_int8 ") == 1
    # What is there already is taken.
    kept = sorted(path.stat().st_mtime_ns for path in tmp_path.rglob("*.tflite"))
    build_stock(tmp_path, 64, said.append)
    assert said == ["building the peers"]
    assert kept == sorted(path.stat().st_mtime_ns for path in tmp_path.rglob("*.tflite"))


def check_ratios(content: dict[str, object]) -> None:
    assert isinstance(content["results"], list) and isinstance(content["ratios"], dict)
    median = {result["name"]: result["median_ms"] for result in content["results"]}
    assert list(content["ratios"]) == list(RATIOS)
    for name, ratio in content["ratios"].items():
        over, _, under = name.partition("/")
        if over in median:
            assert ratio == pytest.approx(median[over] / median[under], abs=1e-3)
        else:  # without its environment
            assert ratio is None and over.startswith(("onnxruntime", "librosa"))


def test_a_network_that_cannot_be_run_is_left_out(
    small_bundles: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "broken.tflite").write_bytes(b"\0" * 100)
    content = compare({"float32": [Network("litert", small_bundles["float32"] / "face.tflite")],
                       "naive_int8": [Network("litert", tmp_path / "broken.tflite")]},
                      tmp_path, 1, 2)
    assert [result["name"] for result in content["results"]] == ["float32"]
    reason = content["left_out"]["naive_int8"]
    assert reason.startswith("litert cannot run it (") and "\n" not in reason


def test_environments_without_an_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line for each, and the rest goes on."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(environments, "ENVIRONMENTS", {
        name: ENVIRONMENTS[name] for name in ("librosa", "tflite_runtime")})
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("sys.version_info", (3, 13, 0, "final", 0), raising=True)
    assert main(["peers", "--setup", "--cache", str(tmp_path)]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "librosa: installing librosa==0.11.0"
    assert [line.partition(": ")[0] for line in lines[-2:]] == ["librosa left out",
                                                                "tflite_runtime left out"]
    assert "ERROR" in lines[-2] and "connect this machine to a package index" in lines[-2]
    assert "expected Python 3.11 on the path, found none" in lines[-1]


def test_a_network_without_its_environment(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected the environment onnxruntime, found none"):
        build_onnx(tmp_path, 64, lambda line: None)


def test_an_environment_stays_until_its_versions_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = tmp_path / "librosa" / "ready.txt"
    ready.parent.mkdir()
    ready.write_text("librosa==0.11.0")
    monkeypatch.setattr(environments, "ENVIRONMENTS", {"librosa": ENVIRONMENTS["librosa"]})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    said: list[str] = []
    assert set_up(tmp_path, said.append) == {} and said == ["librosa: there already"]
    ready.write_text("librosa==0.10.0")
    assert set(set_up(tmp_path, said.append)) == {"librosa"}
    assert said[1] == "librosa: installing librosa==0.11.0"


def test_every_package_is_pinned() -> None:
    pins = environments._pins()
    wanted = {name for found in ENVIRONMENTS.values() for name in (*found.packages, *found.alone)}
    assert wanted == set(pins)
    assert all("==" in pin for pin in pins.values())


def test_pictures_without_whole_patches_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--image-size expects a multiple of 64, found 100"):
        measure_peers(tmp_path, image_size=100)
    assert not list(tmp_path.iterdir())
