"""The scene that the doctor's tests play on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.edge_runtime.doctor.scene import Scene


@pytest.fixture
def scene(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Scene:
    path, folder = os.environ["PATH"], Path.cwd()

    def bundle(changes: dict[str, Any]) -> Path:
        # A training stands behind it, only where needed, which is not to run in the scene.
        with pytest.MonkeyPatch.context() as outside:
            outside.setenv("PATH", path)
            outside.chdir(folder)
            request.getfixturevalue("small_bundles")
        change: Callable[[dict[str, Any]], Path] = request.getfixturevalue("changed_bundle")
        return change({"warnings": []} | changes)

    return Scene(tmp_path, monkeypatch, bundle)
