"""Untrained bundles are made once, and stay."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.cost.untrained import make_by, untrained_bundles
from edge_runtime.bundle.networks import load_bundle
from edge_runtime.errors import UsageError


@pytest.mark.slow
def test_a_bundle_of_a_size(tmp_path: Path) -> None:
    said: list[str] = []
    (bundle,) = untrained_bundles(tmp_path, said.append, recipes=("float32",), image_size=64)
    manifest = load_bundle(bundle, allow_uncertified=True).manifest
    assert manifest.recipe == "float32" and len(manifest.people) == 95
    assert manifest.inputs.face is not None and manifest.inputs.face.size == 64
    assert said == ["making untrained bundles"]


def test_untrained_bundles_that_are_there_are_taken(
    small_bundles: dict[str, Path], tmp_path: Path
) -> None:
    for recipe in ("float32", "mixed_wi8"):
        shutil.copytree(small_bundles[recipe], tmp_path / recipe)
    said: list[str] = []
    bundles = untrained_bundles(tmp_path, said.append)
    assert [bundle.name for bundle in bundles] == ["float32", "mixed_wi8"] and said == []


def test_what_cannot_be_made_is_one_line() -> None:
    with pytest.raises(UsageError, match="cannot make the networks here") as found:
        make_by("train", "init", "--people", "none", "--out", "nowhere")
    assert "\n" not in str(found.value) and "extra 'train'" in str(found.value)
    with pytest.raises(UsageError, match="No module named"):
        make_by("benchmarks.nothing", python=sys.executable)
