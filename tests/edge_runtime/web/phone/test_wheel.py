"""The wheel holds the pages, with what `make web` fetched."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edge_runtime.web import fetch

ROOT = Path(__file__).parents[4]
WEB = fetch.FOLDER.parents[1]


@pytest.mark.slow
def test_the_wheel_holds_the_pages_and_what_was_fetched(third_party: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(ROOT / "edge_runtime", clone / "edge_runtime",
                    ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps",
                    "--no-build-isolation", "--wheel-dir", tmp_path, clone], check=True)
    [wheel] = tmp_path.glob("visavox-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        held = set(opened.namelist())
    wanted = {path.relative_to(ROOT).as_posix() for path in WEB.rglob("*")
              if path.is_file() and path.suffix not in (".md", ".pyc")}
    assert wanted <= held
    assert "edge_runtime/web/shared/parameters.js" in held
    assert "edge_runtime/web/phone/third_party/LICENSE-Apache-2.0.txt" in held
    assert "edge_runtime/web/phone/third_party/litert/wasm/litert_wasm_internal.wasm" in held
