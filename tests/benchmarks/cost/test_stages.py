"""The stages of a decision, with OpenCV and without."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.cost.stages import measure_stages, stages_table
from edge_runtime.decision.identify import Identifier

BOTH = {"read_voice", "quality", "face_network", "voice_network", "decision", "fusion"}


def test_a_picture_in_which_a_face_is_found(small_bundles: dict[str, Path]) -> None:
    identifiers = {name: Identifier.load(path, allow_uncertified=True)
                   for name, path in small_bundles.items()}
    found, missing = measure_stages(identifiers, rounds=3)
    assert missing is None and list(found) == list(small_bundles)
    for stages in found.values():
        assert set(stages) == BOTH | {"read_picture", "detect", "crop"}
        assert all(ms > 0 for ms in stages.values())
        assert stages["fusion"] < stages["decision"]
    results = [{"name": name, "threads": 1, "stages_ms": stages} for name, stages in found.items()]
    shown = stages_table(results)
    assert "fusion (part of decision)" in shown and f"{stages['detect']:.3f}" in shown
    results[0]["threads"] = 2
    assert f"{results[0]['name']}, 2t" in stages_table(results)


def test_a_crop_where_no_face_can_be_looked_for(
    small_bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    identifier = Identifier.load(small_bundles["float32"], allow_uncertified=True)
    found, missing = measure_stages({"a": identifier}, rounds=2)
    assert missing is not None and "pip install 'visavox[capture]'" in missing
    assert set(found["a"]) == BOTH | {"read_face"}
