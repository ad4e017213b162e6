"""What lies in examples/ runs as it stands."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def real_bundle(small_bundles: dict[str, Path], tmp_path: Path) -> Path:
    """As if of real people, who may be enrolled, and certified."""
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    for file in small_bundles["mixed_wi8"].iterdir():
        (bundle / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["certified"], manifest["accuracy"]["synthetic"] = True, False
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    return bundle


def test_none_is_forgotten() -> None:
    """Each of these files has a test below."""
    assert {path.name for path in EXAMPLES.iterdir() if path.is_file()} == {
        "identify.py", "enroll.py", "quantize_your_own.py", "train_convert.ipynb"}


def test_identify(run_python: Run, real_bundle: Path, small_people: Path) -> None:
    somebody = small_people / "synthetic_001"
    done = run_python(EXAMPLES / "identify.py", real_bundle, somebody / "face/000.png",
                      somebody / "voice/000.flac")
    assert done.returncode == 0, done.stderr
    assert "(no_thresholds)" in done.stdout and done.stdout.count("synthetic_") == 4
    refused = run_python(EXAMPLES / "identify.py", real_bundle, "nowhere.png")
    assert refused.returncode == 2
    assert refused.stderr == "nowhere.png: no such picture file\n"


def test_enroll(run_python: Run, real_bundle: Path, others: Path, tmp_path: Path) -> None:
    faces = sorted((others / "other_001/face").iterdir())
    done = run_python(EXAMPLES / "enroll.py", real_bundle, tmp_path / "gallery.db", "Anna",
                      *faces[:3], "--probe", faces[3], "--key", tmp_path / "device.key")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Anna is enrolled; 1 in ") and done.stdout.endswith("Anna\n")


@pytest.mark.slow
def test_quantize_your_own(run_python: Run) -> None:
    done = run_python(EXAMPLES / "quantize_your_own.py")
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()[2:]] == [
        "float32", "dynamic_wi8", "mixed_wi8"]


@pytest.mark.slow
def test_the_notebook(run_python: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its cells one after the other, in an empty folder, with shorter epochs."""
    cells: list[dict[str, Any]] = json.loads(
        (EXAMPLES / "train_convert.ipynb").read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(code) == sum(cell["cell_type"] == "markdown" for cell in cells)
    short = "import train.training.examples\ntrain.training.examples.MIN_EXAMPLES = 48\n"
    (tmp_path / "cells.py").write_text("\n\n".join([code[0], short, *code[1:]])
                                       + "\nprint(len(decision.top))\n")
    done = run_python("cells.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\n4\n") and (tmp_path / "work/bundle/manifest.json").is_file()
