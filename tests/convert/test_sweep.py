"""Every recipe on one run: table, plots, and bundles that can be used."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.report.conversion import operations_table, recipes_table
from convert.quantize.recipes import RECIPES, Recipe
from convert.sweep import sweep
from edge_runtime.bundle.manifest import read_manifest
from edge_runtime.dataset.collection import Collection
from edge_runtime.errors import ConversionError
from train.models.frontend import LAYER_NAME
from train.runs.folder import RunFolder


@pytest.fixture(scope="module")
def swept(
    small_run: RunFolder, quickly: Callable[[], AbstractContextManager[None]],
    collection: Collection, tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, dict[str, Any]]:
    """One recipe that works, and two that do not; then the same once more."""
    def refuse(tool: Any, dense: Any) -> None:
        raise ValueError("no such operation\nand more")

    out = tmp_path_factory.mktemp("sweep")
    with quickly(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("convert.sweep.MIN_OVER_CHANCE", 0)
        patch.setitem(RECIPES, "odd", Recipe(refuse))
        said: list[str] = []
        content, again = (sweep(small_run, out, collection, recipes=["mixed_wi8", "odd", "auto"],
                                rounds=3, say=said.append) for _ in range(2))
    assert said[1].startswith("mixed_wi8: ") and said[2].startswith("odd: not supported")
    assert said.count("mixed_wi8: kept") == 1
    times = ("median_ms", "p90_ms", "ratio_to_float32", "peak_mib")
    for before, after in zip(content["recipes"], again["recipes"], strict=True):
        before, after = ({key: value for key, value in entry.items() if key not in times}
                         for entry in (before, after))
        assert json.loads(json.dumps(before)) == json.loads(json.dumps(after))
    return out, content


def test_each_recipe_has_its_figures(
    swept: tuple[Path, dict[str, Any]], collection: Collection
) -> None:
    out, content = swept
    stored = json.loads((out / "sweep.json").read_text())
    assert stored.keys() == content.keys() and stored["layers"] == content["layers"]
    names = [entry["recipe"] for entry in content["recipes"]]
    assert names == ["float32", "mixed_wi8", "odd", "auto"]
    assert (content["data"], content["synthetic"], content["combinations"]) == ("people", True, 8)
    plain, mixed, odd, auto = content["recipes"]
    assert "at least one of the 4 combinations of validation files" in auto["reason"]
    assert odd == {"recipe": "odd",
                   "reason": "odd: not supported by the quantizer (no such operation)"}
    assert (plain["change"], plain["agreement"], plain["ratio_to_float32"]) == (0, 1, 1)
    assert plain["layer_snr_db"] == {} and plain["change_interval"] == (0, 0)
    for entry in (plain, mixed):
        manifest = read_manifest(out / entry["recipe"])
        assert manifest.recipe == entry["recipe"] and manifest.accuracy is not None
        assert entry["accuracy"] == manifest.accuracy.columns
        assert entry["bytes"]["face"] == (out / entry["recipe"] / "face.tflite").stat().st_size
        assert 0 < entry["median_ms"]["total"] <= entry["p90_ms"]["total"]
        assert 0 <= entry["equal_error_rate"] <= 1 and entry["peak_mib"] > 10
        assert entry["parameters"]["face"] > 9e5 and entry["partitions"]["face"] == 1
        low, high = entry["change_interval"]
        assert low <= entry["change"] <= high
    assert mixed["change"] == pytest.approx(mixed["accuracy"]["ensemble"]
                                            - plain["accuracy"]["ensemble"])
    files = content["samples"]["files"]
    assert {m: len(paths) for m, paths in files.items()} == read_manifest(
        out / "mixed_wi8").samples.count


def test_errors_by_layer(swept: tuple[Path, dict[str, Any]]) -> None:
    """What int8 touches has an error, what comes before it has none."""
    content = swept[1]
    snr = content["recipes"][1]["layer_snr_db"]
    assert set(snr) == set(content["layers"]) == {"face", "voice"}
    for part, names in content["layers"].items():
        values = np.array([db for db in snr[part] if db is not None])
        assert len(values) > 0.9 * len(names) and np.isfinite(values).all()
        assert np.median(values) < 60
    front_end = [db for name, db in zip(content["layers"]["voice"], snr["voice"], strict=True)
                 if LAYER_NAME in name]
    assert front_end and min(front_end) > 80


def test_the_table_says_everything(swept: tuple[Path, dict[str, Any]]) -> None:
    out, _ = swept
    text = (out / "sweep.md").read_text()
    stored = json.loads((out / "sweep.json").read_text())
    assert text == f"{recipes_table(stored)}\n{operations_table(stored)}"
    assert re.search(r"\| CONV_2D +\| +\d+ \| +\d+ \|", text)
    assert "all 8 combinations of people's test files, synthetic people" in text
    assert "- odd: not supported by the quantizer (no such operation)" in text
    assert text.count(" not made |") == 2
    for picture in ("pareto.png", "layers.png"):
        assert (out / picture).stat().st_size > 10_000


def test_networks_at_chance_are_refused(
    quick: None, small_run: RunFolder, collection: Collection, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("convert.sweep.MIN_OVER_CHANCE", 5)
    with pytest.raises(ConversionError, match=r"hardly better than chance .* train longer"):
        sweep(small_run, tmp_path / "out", collection, recipes=["float32"])
    assert not list(tmp_path.iterdir())
