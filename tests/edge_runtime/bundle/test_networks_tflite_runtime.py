"""The older interpreter, with the NumPy that it wants, in an environment of its own."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.edge_runtime.command_line import RUN, mistake, visavox

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]


def needs() -> list[str]:
    """What `pip install visavox[tflite]` brings, without OpenCV, which nothing here needs."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = (setup["options"]["install_requires"] + setup["options.extras_require"]["tflite"]
             ).split("\n")
    return [line for line in lines
            if line and not line.startswith(("#", "ai-edge-litert", "opencv"))]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python 3.11 with tflite-runtime."""
    program = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
    if program is None:
        pytest.skip("Python 3.11 is not on the path, and tflite-runtime has wheels for no later")
    folder = tmp_path_factory.mktemp("tflite")
    made = subprocess.run([program, "-m", "venv", "--without-pip", folder / "env"],
                          capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"{program} cannot make environments: {made.stderr.strip()}")
    installed = folder / "env" / "bin" / "python"
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", installed, "install", "--quiet", "--no-compile",
         *needs()], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"pip cannot install tflite-runtime: {done.stderr.strip().splitlines()[-1]}")
    return installed


def call(python: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, "-c", RUN, *map(str, arguments)], text=True, cwd=python.parent,
                          env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True,
                          check=False, timeout=300)


def test_the_same_decision(
    python: Path, old_runtime_bundle: Path, pair: tuple[Path, Path]
) -> None:
    arguments = ("identify", "--bundle", old_runtime_bundle, "--face", pair[0], "--voice", pair[1],
                 "--allow-uncertified", "--json")
    done = call(python, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    old, new = json.loads(done.stdout), json.loads(visavox(*arguments).stdout)
    assert old["interpreter"] == "tflite-runtime 2.14.0"
    assert new["interpreter"].startswith("ai-edge-litert ")
    assert (old["person"], old["reason"]) == (new["person"], new["reason"])
    assert [ranked["person"] for ranked in old["top"]] == [
        ranked["person"] for ranked in new["top"]]
    np.testing.assert_allclose([ranked["score"] for ranked in old["top"]],
                               [ranked["score"] for ranked in new["top"]], atol=0.02)


def test_a_file_that_is_not_for_it_is_refused(
    python: Path, small_bundles: dict[str, Path], pair: tuple[Path, Path]
) -> None:
    """Opened, it would give wrong scores without a word."""
    bundle = small_bundles["mixed_wi8"]
    done = call(python, "identify", "--bundle", bundle, "--face", pair[0], "--allow-uncertified")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"visavox: {bundle}: made for ai-edge-litert, found tflite-runtime; install one of those, "
        "or rebuild the bundle with 'python -m convert bundle RUN --recipe mixed_wi8 --out BUNDLE' "
        "with --runtime tflite-2.14\n")


def test_with_both_the_newer_one_is_taken(
    old_runtime_bundle: Path, tmp_path: Path, pair: tuple[Path, Path],
) -> None:
    """A bundle that lists the older one alone is refused by who has both."""
    bundle = shutil.copytree(old_runtime_bundle, tmp_path / "bundle")
    file = bundle / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"interpreters": ["tflite-runtime"],
                                                               "certified": True}))
    assert "made for tflite-runtime, found ai-edge-litert; install one of those" in mistake(
        "identify", "--bundle", bundle, "--face", pair[0])
