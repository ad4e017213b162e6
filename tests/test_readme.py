"""The README's walk-through is run as it stands; the tables come from the result files."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from benchmarks.report import FOLDERS, accuracy_table, update_readmes
from benchmarks.results import RESULTS
from edge_runtime.errors import UsageError
from edge_runtime.result_file import stamped
from tests.walk_through import BLOCK, README, ROOT, run, walk_through


def words(line: str) -> str:
    """A line without what differs from run to run: numbers, and the widths of columns."""
    return re.sub(r"[ -]+", " ", re.sub(r"\d[\d.,e+-]*", "0", line)).strip()


@pytest.mark.slow
def test_the_walk_through_prints_what_it_shows(walked_through: Path, tmp_path: Path) -> None:
    all_printed = json.loads((walked_through / "printed.json").read_text())
    for (commands, shown), printed in zip(walk_through(), all_printed, strict=True):
        found = {words(line) for line in printed.splitlines()}
        # Rankings and machines differ; headings of tables and everything said outside of them stay.
        lines = shown.strip().splitlines()
        expected = [line for i, line in enumerate(lines)
                    if i + 1 < len(lines) and lines[i + 1].startswith("| -")]
        assert expected or len(lines) == 1
        for line in expected or lines:
            assert words(line) in found, f"{commands}: README shows '{line}'\n{printed}"
    python = next(code for language, code in BLOCK.findall(README.read_text(encoding="utf-8"))
                  if language == "python")
    (tmp_path / "example.py").write_text(python)
    assert run(f"python {tmp_path / 'example.py'}", walked_through).startswith("synthetic_")


def test_the_tables_come_from_the_result_files() -> None:
    texts, problems = update_readmes()
    assert not problems
    for file, text in texts.items():
        assert file.read_text(encoding="utf-8") == text, (
            "make them anew with 'python -m benchmarks report'")


def test_links_lead_somewhere() -> None:
    for readme in (ROOT / folder / "README.md" for folder in FOLDERS):
        for target in re.findall(r"\]\(([^)#:]+)\)", readme.read_text(encoding="utf-8")):
            assert (readme.parent / target).exists(), f"{readme}: {target}"


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


def copy_of_readmes(folder: Path) -> Path:
    for name in FOLDERS:
        (folder / name).mkdir(exist_ok=True)
        shutil.copy(ROOT / name / "README.md", folder / name)
    return folder


def test_a_table_without_a_place(tmp_path: Path) -> None:
    readme = copy_of_readmes(tmp_path) / "README.md"
    readme.write_text("no tables here")
    with pytest.raises(UsageError, match="expected the mark '<!-- table: accuracy -->'"):
        update_readmes(tmp_path)


@pytest.mark.parametrize("name", ["weather", "doctor"])  # unknown, and in two places
def test_a_mark_without_a_table(tmp_path: Path, name: str) -> None:
    readme = copy_of_readmes(tmp_path) / "edge_runtime" / "README.md"
    readme.write_text(readme.read_text() + f"\n<!-- table: {name} -->\n<!-- /table -->\n")
    with pytest.raises(UsageError, match=f"expected a mark of .*, found '{name}'"):
        update_readmes(tmp_path)
