"""The ladder of `auto`: raised until the loss is within bounds, remembered, drawn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from convert.auto import MAX_EVALUATIONS, Ladder, Rung, climb, lowest
from convert.bundle import make_bundle
from convert.prepare import prepare
from edge_runtime.dataset.collection import Collection
from edge_runtime.errors import UsageError
from train.models.registry import Part
from train.runs.folder import RunFolder


@pytest.mark.usefixtures("quick")
def test_a_ladder_is_climbed_once(
    small_run: RunFolder, collection: Collection, tmp_path: Path
) -> None:
    parts = small_run.run.spec.parts
    prepared = prepare(small_run, collection)
    said: list[str] = []
    state = tmp_path / "ladder.json"

    def ladder(max_drop: float) -> Ladder:
        return climb(prepared, state, max_drop=max_drop, say=said.append)

    found = ladder(1.0)  # anything goes
    assert [rung.raised for rung in found.rungs] == [0] and found.best.raised == 0
    assert all(found.layers(part) == [] for part in parts) and len(said) == 1
    assert [snr for *_, snr in found.ranked] == sorted(snr for *_, snr in found.ranked)
    assert {part for part, *_ in found.ranked} == set(parts) and len(found.ranked) > 100
    assert len(json.loads(state.read_text())["rungs"]) == 1
    assert ladder(1.0).rungs == found.rungs and len(said) == 1  # nothing was tried again
    with pytest.raises(UsageError, match=r"--max-drop expects at least one of the 4 combinations "
                                         r"of validation files, 25.00 points, found 10"):
        ladder(0.1)
    state.write_text("{")
    assert ladder(1.0).best.raised == 0 and len(said) == 2  # a damaged file is begun anew


@given(most=st.integers(0, 300), need=st.integers(0, 310))
def test_the_lowest_rung_is_found_in_few_steps(most: int, need: int) -> None:
    tried: list[int] = []

    def within(raised: int) -> bool:
        tried.append(raised)
        return raised >= need

    assert lowest(within, most) is (need <= most)
    assert len(set(tried)) == len(tried) <= 20 < MAX_EVALUATIONS
    assert all(0 <= raised <= most for raised in tried)
    if need <= most:
        assert need in tried


def test_the_fastest_rung_within_bounds_is_taken() -> None:
    ranked: list[tuple[Part, str, float]] = [
        ("voice", "a", -3.0), ("face", "b", 1.0), ("voice", "c", 20.0)]
    rungs = [Rung(0, 0.90, 1.0, 2.0), Rung(1, 0.979, 1.1, 2.0), Rung(2, 0.975, 1.2, 2.0),
             Rung(3, 0.98, 2.0, 2.0)]
    assert Ladder(0.98, ranked, rungs, 0.0005).best.raised == 3
    found = Ladder(0.98, ranked, rungs, 0.005)
    assert found.best.raised == 1
    assert (found.layers("voice"), found.layers("face")) == (["a"], [])


@pytest.mark.usefixtures("quick")
def test_a_bundle_by_auto(small_run: RunFolder, collection: Collection, tmp_path: Path) -> None:
    manifest = make_bundle(small_run, "auto", tmp_path / "bundle", collection, max_drop=1.0)
    assert manifest.recipe == "auto" and manifest.float32_layers == {"face": [], "voice": []}
    with Image.open(tmp_path / "bundle.ladder.png") as picture:
        assert picture.format == "PNG"
    assert {path.name for path in (tmp_path / "bundle").iterdir()} == {
        "manifest.json", "face.tflite", "voice.tflite"}
