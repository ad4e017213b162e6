"""The tables of README.md and docs/ come from the result files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.report.tables import accuracy_table, headline, update_pages
from benchmarks.results.schema import RESULTS, read_result
from edge_runtime.console.output import stamped
from edge_runtime.errors import UsageError

ROOT = Path(__file__).parents[3]


def test_the_tables_come_from_the_result_files() -> None:
    texts, problems = update_pages()
    assert not problems
    for file, text in texts.items():
        assert file.read_text(encoding="utf-8") == text, (
            "make them anew with 'python -m benchmarks report'")


def test_the_tables_show_the_figures_of_the_result_files(tmp_path: Path) -> None:
    interval = {"voice": [0.5, 0.7], "face": [0.8, 0.9], "ensemble": [0.9, 1.0],
                "scaled": [0.95, 1.0]}
    shutil.copy(RESULTS / "source-experiment.json", tmp_path)
    (tmp_path / "kiosk95.json").write_text(json.dumps(stamped("train evaluate", {
        "model": "some_model", "seed": 3, "pairs": 581, "interval": interval,
        "accuracy": {"voice": 0.6123, "face": 0.85, "ensemble": 0.951, "scaled": 0.98}})))
    lines = accuracy_table(tmp_path).splitlines()
    row = next(line for line in lines if "kiosk95, clean" in line)
    assert [cell.strip() for cell in row.split("|")[2:-1]] == [
        "581", "61.2 (50.0 to 70.0)", "85.0 (80.0 to 90.0)", "95.1 (90.0 to 100.0)",
        "98.0 (95.0 to 100.0)"]
    assert next(line for line in lines if "people30" in line).split("|")[2].strip() == "not run"


def test_the_headline_is_of_the_fastest_recipe() -> None:
    latency, size = (read_result(RESULTS / f"{name}.json") for name in ("latency", "size"))
    fastest = min(latency["results"], key=lambda result: result["median_ms"]["total"])
    size_of = {result["name"]: result["bytes"]["total"] for result in size["results"]}
    text = headline()
    assert f"both networks, `{fastest['recipe']}`" in text
    assert f"{fastest['median_ms']['total']:.1f} ms" in text
    missed = read_result(RESULTS / "open-set-kiosk95.json")["draws"]["decided"]["fnir"]["mean"]
    assert "where 5 % of strangers get a name" in text
    assert f"{100 * missed:.1f} %" in text
    assert f"{size_of[fastest['name']] / 1e6:.1f} MB" in text


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A copy of all pages."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("_*"))
    shutil.copy(ROOT / "README.md", tmp_path)
    return tmp_path


def test_a_table_without_a_place(pages: Path) -> None:
    (pages / "docs" / "measurements" / "accuracy.md").write_text("no tables here")
    with pytest.raises(UsageError, match="expected the mark '<!-- table: accuracy -->'"):
        update_pages(pages)


@pytest.mark.parametrize("name", ["weather", "doctor"])  # unknown, and in two places
def test_a_mark_without_a_table(pages: Path, name: str) -> None:
    page = pages / "docs" / "reference" / "words.md"
    page.write_text(page.read_text() + f"\n<!-- table: {name} -->\n<!-- /table -->\n")
    with pytest.raises(UsageError, match=f"expected a mark of .*, found '{name}'"):
        update_pages(pages)
