"""The table of recipes by family: each cell from a run, and none run twice."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report.conversion import support_table
from convert.quantize.recipes import RECIPES, Recipe
from convert.support import support
from tests.train.training.tiny_training import TINY
from train.models.registry import FAMILIES


@pytest.mark.slow
def test_every_cell_comes_from_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(tool: Any, dense: Any) -> None:
        raise ValueError("no such operation")

    monkeypatch.setitem(FAMILIES, "tiny", TINY)
    monkeypatch.setitem(RECIPES, "odd", Recipe(refuse))
    said: list[str] = []
    recipes = ["dynamic_wi8", "odd", "auto"]
    content = support(tmp_path / "support", ["tiny"], recipes, say=said.append,
                      isolated=False)
    (row,) = content["families"]
    assert row["family"] == "tiny" and row["parameters"] > 100
    plain, dynamic, odd, auto = row["recipes"]
    assert (plain["recipe"], plain["ratio_to_float32"]) == ("float32", 1)
    for cell in (plain, dynamic, auto):
        assert cell["reason"] is None and cell["median_ms"] > 0 and len(cell["partitions"]) == 2
    assert dynamic["bytes"] < plain["bytes"]
    assert odd == {"recipe": "odd",
                   "reason": "odd: not supported by the quantizer (no such operation)"}
    assert "tiny, odd: odd: not supported by the quantizer (no such operation)" in said

    said.clear()
    again = support(tmp_path / "support", ["tiny"], recipes, say=said.append,
                      isolated=False)
    assert again["families"] == json.loads(json.dumps(content["families"])) and not said

    text = support_table(content)
    assert re.search(r"\| tiny +\| +0.0M \| +1.00 \| +\d\.\d\d \| +- \[1\] \| +\d\.\d\d \|", text)
    assert text.endswith("\n1. not supported by the quantizer (no such operation)\n")
