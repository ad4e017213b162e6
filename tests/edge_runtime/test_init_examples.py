"""The examples of docstrings, of README.md and of the pages are run as they stand."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import soundfile
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = re.compile(r"(?:^    .*\n|^\n)+", re.MULTILINE)


def of_module(name: str) -> str:
    """The indented block of a module's docstring."""
    return textwrap.dedent(EXAMPLE.findall(importlib.import_module(name).__doc__ or "")[-1])


def of_page(path: str) -> str:
    """All Python of a page, block after block."""
    return "\n".join(re.findall(r"```python\n(.*?)```", (ROOT / path).read_text(), re.DOTALL))


EXAMPLES = {
    "identify": (lambda: of_module("edge_runtime.decision.identify"), r"synthetic_\d+ \d\.\d+\n"),
    "capture": (lambda: of_module("edge_runtime.capture"), r"scene.mp4 gives pictures scene.wav "
                                                           r"gives sound\n"),
    "gallery": (lambda: of_module("edge_runtime.gallery"), r"\[Match\(person='Anna', simil"),
    "enrol": (lambda: of_page("docs/how-to/enrol.md"), r"None no_thresholds Anna\nTrue"),
    "device": (lambda: of_page("docs/how-to/device.md"), r"\(480, 640, 3\) float32 ok\n"),
    "README": (lambda: of_page("README.md"), r"None no_thresholds\n"),
}


@pytest.fixture
def folder(
    changed_bundle: Callable[[dict[str, Any]], Path], pair: tuple[Path, Path], small_people: Path,
    tmp_path: Path,
) -> Path:
    """All files that the examples name."""
    made = tmp_path / "folder"
    shutil.copytree(changed_bundle({}), made / "bundle")
    manifest = made / "bundle" / "manifest.json"  # as if of real people, who may be enrolled
    manifest.write_text(manifest.read_text().replace('"synthetic": true', '"synthetic": false'))
    for number, face in enumerate(sorted((small_people / "synthetic_001/face").iterdir())[:3], 1):
        with Image.open(face) as picture:
            picture.convert("RGB").save(made / f"anna{number}.jpg", quality=95)
    shutil.copy(pair[0], made / "face.png")
    with Image.open(pair[0]) as picture:
        picture.convert("RGB").save(made / "face.jpg", quality=95)
    samples, rate = soundfile.read(pair[1])
    soundfile.write(made / "clip.wav", samples, rate)
    soundfile.write(made / "scene.wav", np.tile(samples, 3), rate)
    writer = cv2.VideoWriter(str(made / "scene.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10,
                             (640, 480))
    for _ in range(40):
        writer.write(np.full((480, 640, 3), 120, np.uint8))
    writer.release()
    return made


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example(folder: Path, name: str) -> None:
    example, printed = EXAMPLES[name]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(folder)}
    environment.pop("VISAVOX_DEVICE_KEY", None)
    done = subprocess.run([sys.executable, "-c", example()], cwd=folder, env=environment,
                          capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.match(printed, done.stdout), done.stdout
