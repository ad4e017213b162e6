"""Result files: what is kept in them, and what is said of those that cannot be used."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.report.conversion import recipes_table, rounded, without_layers
from benchmarks.report.tables import TABLES, update_pages
from benchmarks.results.schema import (
    KINDS,
    RESULTS,
    check_result,
    read_result,
    read_results,
    write_result,
)
from edge_runtime.console.output import SCHEMA, result_text, stamped
from edge_runtime.errors import UsageError

ROOT = Path(__file__).parents[3]
LATENCY = json.loads((RESULTS / "latency.json").read_text())


def test_every_committed_file_keeps_the_schema() -> None:
    results, problems = read_results(RESULTS)
    assert not problems and len(results) == len(list(RESULTS.glob("*.json")))
    assert {content["kind"] for content in results.values()} <= set(KINDS)
    for file in RESULTS.glob("*.json"):
        assert file.stat().st_size < 60_000, file
        assert "/work" not in file.read_text() and "/home" not in file.read_text()


def test_the_head_hides_where_files_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/home/anna/visavox/benchmarks/__main__.py", "latency",
                                     "/home/anna/bundle", "--rounds", "9",
                                     "rtsp://me:top-secret@camera", "--x=http://a/secret"])
    head = stamped("benchmarks latency", {})
    assert head["schema"] == SCHEMA and set(head["made_by"]) == {"command", "version", "date"}
    assert head["made_by"]["command"] == (
        "python -m benchmarks latency bundle --rounds 9 rtsp://... --x=http://...")


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text()
                    | st.floats(allow_nan=False, allow_infinity=False),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
                    max_leaves=8)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_what_is_written_is_read(content: dict[str, Any]) -> None:
    assert json.loads(result_text(content)) == content


def test_short_lists_stay_on_a_line() -> None:
    assert '"a": [1, 2.5, null]' in result_text({"a": [1, 2.5, None], "b": [[1], [2]]})


def broken(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    content = copy.deepcopy(LATENCY)
    change(content)
    return content


@pytest.mark.parametrize(("change", "message"), [
    (lambda c: c.update(schema=2), "expected a result file of schema 1, found 2"),
    (lambda c: c.pop("schema"), "expected a result file of schema 1, found none"),
    (lambda c: c.update(schema=True), "expected a result file of schema 1, found True"),
    (lambda c: c.update(kind="weather"), "found 'weather'"),
    (lambda c: c.pop("conditions"), "missing required field `conditions`"),
    (lambda c: c["results"][1].update(median_ms="fast"), r"\$.results\[1\].median_ms"),
    (lambda c: c["made_by"].pop("date"), "missing required field `date`"),
])
def test_damaged_content(change: Callable[[dict[str, Any]], Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_result("latency.json", broken(change))


@given(JSON)
def test_anything_else_is_refused(content: Any) -> None:
    with pytest.raises(UsageError, match=r"^x: expected"):
        check_result("x", content)


@pytest.mark.parametrize("text", ["", "{", "\xff\xfe", "[]", "null", "[" * 100_000])
def test_what_is_no_result_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match="expected a result file"):
        read_result(file)


def test_one_bad_file_leaves_its_tables_alone(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    shutil.copytree(ROOT / "docs", pages / "docs", ignore=shutil.ignore_patterns("_*"))
    shutil.copy(ROOT / "README.md", pages)
    results = tmp_path / "results"
    shutil.copytree(RESULTS, results)
    write_result(results / "latency.json", broken(lambda c: c.update(schema=9)))
    (results / "gallery.json").unlink()
    texts, problems = update_pages(pages, results)
    for table, problem in zip(("headline", "cost"), problems, strict=True):
        assert "latency.json: expected a result file of schema 1, found 9" in problem
        assert f"(the table '{table}' stays as it was)" in problem
    for file in (pages / "README.md", pages / "docs" / "measurements" / "cost.md"):
        assert texts[file] == file.read_text()
    running = pages / "docs" / "measurements" / "running.md"
    assert "Searching enrolled people: not run." in texts[running]


def test_nothing_but_the_source_is_needed(tmp_path: Path) -> None:
    shutil.copy(RESULTS / "source-experiment.json", tmp_path)
    for name, make in TABLES.items():
        assert "not run" in make(tmp_path) or name == "doctor"


def test_a_sweep_without_its_layers() -> None:
    content = json.loads((RESULTS / "recipes-kiosk95.json").read_text())
    table = recipes_table(content)
    whole = content | {
        "layers": {"face": ["net/stem/Relu6;net/stem/conv", "net/last/add"], "voice": ["mul"]},
        "samples": {"seed": 0, "digest": "d", "files": {"face": ["a.png", "b.png"]}}}
    for entry in whole["recipes"]:
        entry["layer_snr_db"] = {"face": [31.0, 12.5], "voice": [None]}
    kept = without_layers(whole)
    assert recipes_table(kept) == table
    assert "layers" not in kept and kept["samples"] == {
        "seed": 0, "digest": "d", "count": {"face": 2}}
    assert kept["recipes"][1]["worst_layers_db"] == {
        "face": {"last/add": 12.5, "stem/Relu6": 31.0}, "voice": {}}
    assert rounded({"a": (1 / 3, [2, "x"])}) == {"a": [0.333333, [2, "x"]]}


def test_the_command_goes_on(
    tmp_path: Path, run_python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """In the clone itself: with a damaged file beside the good ones, no page changes."""
    results = tmp_path / "results"
    shutil.copytree(RESULTS, results)
    (results / "odd.json").write_text("{")
    page = tmp_path / "page.html"
    done = run_python("-m", "benchmarks", "report", "--results", results, "--html", page)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "odd.json: expected a result file in JSON" in done.stderr
    assert "no page changes" in done.stdout
    assert "Left out: " in page.read_text(encoding="utf-8")
