"""Bundles on both emulated devices, from the root file system to the counts, in one run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.device.check import FLOAT_LIMIT
from benchmarks.device.debian import debian_archives
from benchmarks.device.table import LIMIT
from benchmarks.device.wheels import TFLITE, has_wheels_here
from edge_runtime.errors import UsageError

ROOT = Path(__file__).resolve().parents[3]
CPUS = {"cortex-a72", "cortex-a76"}

pytestmark = [pytest.mark.aarch64, pytest.mark.slow, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def emulation() -> None:
    """Skips where this machine lacks what the emulation needs."""
    for program in ("qemu-aarch64", "apt-get", "dpkg-deb", "cc"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    try:
        debian_archives()
    except UsageError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def done(
    emulation: None, small_bundles: dict[str, Path], small_people: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", "device", small_bundles["float32"],
         small_bundles["mixed_wi8"], "--data", small_people, "--pairs", "2",
         "--allow-uncertified", "--json"],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False)


@pytest.fixture(scope="module")
def content(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    # Without a Python 3.11 here, tflite-runtime is left out, and that is said.
    assert done.returncode == (0 if has_wheels_here(TFLITE) else 1), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def of(content: dict[str, Any], recipe: str, interpreter: str) -> dict[str, dict[str, Any]]:
    """Rows by processor."""
    return {row["cpu"]: row for row in content["results"]
            if row["recipe"] == recipe and row["interpreter"].startswith(interpreter)}


def test_every_bundle_runs_on_both_devices(content: dict[str, Any]) -> None:
    for recipe in ("float32", "mixed_wi8"):
        rows = of(content, recipe, "ai-edge-litert")
        assert set(rows) == CPUS
        assert {row["python"] for row in rows.values()} == {"3.11", "3.13"}
    assert set(of(content, "float32", "tflite-runtime")) == (
        {"cortex-a72"} if has_wheels_here(TFLITE) else set())


def test_decisions_and_outputs_are_those_of_this_machine(content: dict[str, Any]) -> None:
    for row in content["results"]:
        assert row["agrees"], row
        assert row["decisions"] == 2
        if row["recipe"] == "float32":
            assert row["same_decisions"] == 2
    for row in of(content, "float32", "ai-edge-litert").values():
        assert all(difference <= FLOAT_LIMIT for keys in row["largest_difference"].values()
                   for difference in keys.values())
    # Both of Arm's kernels round alike in float32.
    assert "cortex-a72" in of(content, "float32", "ai-edge-litert")["cortex-a76"]["equal_to"]


def test_instructions_are_counted_and_repeat(content: dict[str, Any]) -> None:
    for row in content["results"]:
        assert row["spread"] < LIMIT / 10
        counts = row["million_instructions"]
        assert counts["total"] == pytest.approx(counts["face"] + counts["voice"], abs=1e-3)
        assert min(counts.values()) > 1
    total = {(recipe, cpu): row["million_instructions"]["total"]
             for recipe in ("float32", "mixed_wi8")
             for cpu, row in of(content, recipe, "ai-edge-litert").items()}
    # int8 pays in instructions where there are dot products, and only there.
    assert total["mixed_wi8", "cortex-a76"] < 0.8 * total["float32", "cortex-a76"]
    assert total["mixed_wi8", "cortex-a72"] > 0.9 * total["float32", "cortex-a72"]


def test_what_is_left_out_is_said(
    emulation: None, changed_bundle: Callable[[dict[str, Any]], Path], tmp_path: Path
) -> None:
    """With QEMU alone on the path, nothing can be fetched or compiled."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "qemu-aarch64").symlink_to(str(shutil.which("qemu-aarch64")))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "device", changed_bundle({}), tmp_path / "none",
         "--cache", tmp_path / "cache"], cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PATH": str(programs)})
    assert done.returncode == 2 and "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert any("none" in line and "expected a bundle" in line for line in lines)
    assert any("expected a C compiler named cc, found none" in line for line in lines)
    for cpu in CPUS:
        assert any(cpu in line and "expected apt-get and dpkg-deb" in line for line in lines)
    assert "nothing was tried" in lines[-1]
    assert not list((tmp_path / "cache").glob("*bookworm*"))
