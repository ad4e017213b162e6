"""`python -m benchmarks size`: bundles on disk, and what a device has to install."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from benchmarks.cost import size
from benchmarks.cost.size import installed_sizes, measure_size, size_table
from edge_runtime.errors import BundleError, UsageError

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
        assert 20 < result["peak_mib"] < 200
    # TensorFlow, of the extra 'train', is installed where tests run.
    assert content["tensorflow"]["peak_mib"] > 2 * max(r["peak_mib"] for r in content["results"])
    assert content["tensorflow"]["import_cpu_ms"] > 100
    assert content["installed"]["bytes"]["total"] < MAX_INSTALLED


def test_what_is_installed() -> None:
    sizes = installed_sizes()
    assert {"visavox", "numpy", "ai-edge-litert", "msgspec", "pillow", "soundfile",
            "soxr"} <= set(sizes)
    assert not {"tensorflow", "keras", "librosa", "torch", "pytest"} & set(sizes)
    assert sizes["total"] == sum(size for name, size in sizes.items() if name != "total")
    assert 300_000 < sizes["visavox"] < 5_000_000
    assert sizes["numpy"] > 10_000_000 and sizes["ai-edge-litert"] > 5_000_000
    assert sizes["total"] < MAX_INSTALLED


def test_every_requirement_of_the_base_install_is_counted() -> None:
    sizes = installed_sizes()
    for requirement in metadata.requires("visavox") or []:
        if "extra ==" not in requirement:
            name = requirement.split(">")[0].split("=")[0].split("<")[0].strip().lower()
            assert name in sizes


def test_what_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(UsageError, match="expected visavox to be installed"):
        installed_sizes()


def test_the_table(small_bundles: dict[str, Path]) -> None:
    content = measure_size([small_bundles["float32"]], tensorflow=False)
    content["installed"] = {"phone_bytes": 12_345_678, "bytes": {
        "small": 1, "numpy": 70_000_000, "pillow": 2_000_000, "ai-edge-litert": 60_000_000,
        "total": 132_000_001}}
    bundles, installed = size_table(content).split("\n\n")
    assert f"{content['results'][0]['bytes']['total'] / 1e6:.2f}" in bundles.splitlines()[2]
    assert installed == (
        "Everything a device installs: 132.0 MB (numpy 70.0, ai-edge-litert 60.0, pillow 2.0, "
        "...). Not counted: 12.3 MB of LiteRT.js that a kiosk hands to phones (`make web`).")


def test_what_phones_are_handed_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some other folder of the package, in the place of what `make web` fetches."""
    handed = size.PACKAGES.parents[1] / "kiosk"
    monkeypatch.setattr(size, "PACKAGES", size.PACKAGES / "nothing")
    before = installed_sizes()["visavox"]
    monkeypatch.setattr(size, "PACKAGES", handed)
    assert before - installed_sizes()["visavox"] == sum(
        file.stat().st_size for file in handed.rglob("*") if file.is_file())


def test_what_cannot_be_measured_has_a_reason(
    small_bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    content = measure_size([small_bundles["float32"]], platforms=True)
    assert set(content["platforms"]) == {"x86_64", "aarch64"}
    for found in content["platforms"].values():
        assert set(found) == {"reason"} and found["reason"].startswith("ERROR")
    shown = size_table(content)
    assert "Importing TensorFlow: not measured (TensorFlow is not installed)." in shown
    assert "| aarch64 " in shown and "ERROR" in shown


def test_wheels_of_other_platforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a folder in the place of a package index."""
    for platform in ("x86_64", "aarch64"):
        for package in ("numpy", "ai_edge_litert", "msgspec", "pillow", "soundfile", "soxr"):
            name = f"{package}-99.0-py3-none-manylinux2014_{platform}.whl"
            write_wheel(tmp_path / name, package, 1000 if platform == "aarch64" else 5000)
    setup = tmp_path / "setup.cfg"
    setup.write_text("[options]\ninstall_requires =\n    numpy>=1.26\n    msgspec\n    soxr\n")
    monkeypatch.setattr(size, "ROOT", tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    found = size.measure_platforms()
    for platform, packed in (("x86_64", 5000), ("aarch64", 1000)):
        assert set(found[platform]["installed_bytes"]) == {"numpy", "msgspec", "soxr"}
        for package, unpacked in found[platform]["installed_bytes"].items():
            assert packed < unpacked < packed + 500
            assert 0 < found[platform]["wheel_bytes"][package] < 2000  # zeros, compressed


def write_wheel(path: Path, package: str, size: int) -> None:
    information = f"{package}-99.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{package}/data.bin", bytes(size))
        archive.writestr(f"{information}/METADATA",
                         f"Metadata-Version: 2.1\nName: {package}\nVersion: 99.0\n")
        archive.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{information}/RECORD", "")


def test_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="expected a bundle"):
        measure_size([tmp_path])
