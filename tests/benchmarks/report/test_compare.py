"""`python -m benchmarks compare`: like with like, or the reason why not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cli import main
from benchmarks.cost.timing import conditions
from benchmarks.report.compare import (
    SAME,
    TIMED,
    compare_table,
    compare_times,
    read_times,
    unlike_conditions,
)
from benchmarks.results.schema import RESULTS, write_result
from edge_runtime.errors import UsageError

BEFORE = {
    "conditions": conditions(1) | {"load": 0.5},
    "results": [{"name": "float32", "recipe": "float32", "threads": 1,
                 "median_ms": {"face": 2.0, "total": 40.0}},
                {"name": "mixed", "recipe": "mixed_wi8", "threads": 1,
                 "median_ms": {"face": 1.0, "total": 20.0}}]}


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    content = copy.deepcopy(BEFORE)
    change(content)
    return content


def slow(content: dict[str, Any]) -> None:
    content["results"][0]["median_ms"]["total"] = 43.9
    content["results"][1]["median_ms"]["total"] = 22.1


def test_slower_is_said() -> None:
    content = compare_times(BEFORE, changed(slow))
    assert content == {"unlike": [], "results": [
        {"name": "float32", "before_ms": 40.0, "after_ms": 43.9, "ratio": 1.097, "slower": False},
        {"name": "mixed", "before_ms": 20.0, "after_ms": 22.1, "ratio": 1.105, "slower": True}]}
    cells = [cell.strip() for cell in compare_table(content).splitlines()[3].split("|")[1:-1]]
    assert cells == ["mixed", "20.00", "22.10", "1.10", "yes"]


def test_what_both_hold_is_compared() -> None:
    after = changed(lambda content: content["results"].pop(0))
    assert [row["name"] for row in compare_times(BEFORE, after)["results"]] == ["mixed"]
    after = changed(lambda content: [r.update(name=f"new {r['name']}") for r in content["results"]])
    with pytest.raises(UsageError, match="found float32, mixed and new float32, new mixed"):
        compare_times(BEFORE, after)


@pytest.mark.parametrize("key", SAME)
def test_unlike_conditions_are_refused_with_the_reason(key: str) -> None:
    after = changed(lambda content: content["conditions"].update({key: "another"}))
    with pytest.raises(UsageError, match=f"{key} is .* and another in the other; .*--force"):
        compare_times(BEFORE, after)
    content = compare_times(BEFORE, after, force=True)
    assert len(content["results"]) == 2
    assert len(content["unlike"]) == 1 and content["unlike"][0].startswith(key)


def test_another_recipe_is_unlike() -> None:
    after = changed(lambda content: content["results"][0].update(recipe="dynamic_wi8"))
    with pytest.raises(UsageError, match="float32 is float32 in one and dynamic_wi8 in the other"):
        compare_times(BEFORE, after)
    assert len(compare_times(BEFORE, after, force=True)["results"]) == 2


@pytest.mark.parametrize(("first", "second", "unlike"), [
    ({"load": 0.1}, {"load": 1.0}, False), ({"load": 0.1}, {"load": 1.3}, True),
    ({"celsius": 50.0}, {"celsius": 59.0}, False), ({"celsius": 50.0}, {"celsius": 61.0}, True),
    ({"celsius": None}, {"celsius": 50.0}, True),
    ({"clock_mhz": 1800.0}, {"clock_mhz": 1700.0}, False),
    ({"clock_mhz": 1800.0}, {"clock_mhz": 1500.0}, True),
])
def test_what_drifts_may_differ_a_little(
    first: dict[str, Any], second: dict[str, Any], unlike: bool
) -> None:
    assert bool(unlike_conditions(first, second)) == unlike
    assert bool(unlike_conditions(second, first)) == unlike


def test_threads_tell_results_apart() -> None:
    content = {"conditions": {"threads": [1, 2]}, "results": [
        {"name": "x", "threads": n, "median_ms": {"total": 3.0 / n}} for n in (1, 2)]}
    assert [(row["name"], row["after_ms"]) for row in compare_times(content, content)["results"]
            ] == [("x, 1 thread", 3.0), ("x, 2 threads", 1.5)]


@pytest.mark.parametrize("name", ["latency", "peers", "amd-epyc"])
def test_committed_results_are_as_quick_as_themselves(name: str) -> None:
    times = read_times(RESULTS / f"{name}.json")
    rows = compare_times(times, times)["results"]
    assert len(rows) == len(times["results"]) > 2
    assert all(row["ratio"] == 1 and not row["slower"] for row in rows)


def test_what_holds_no_times() -> None:
    with pytest.raises(UsageError, match=f"expected a result of {', '.join(TIMED)}, found "
                                         "'benchmarks size'"):
        read_times(RESULTS / "size.json")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads((RESULTS / "latency.json").read_text())
    content["conditions"]["cores"] = 99
    content["results"][0]["median_ms"]["total"] *= 2
    write_result(tmp_path / "after.json", content)
    arguments = ["compare", str(RESULTS / "latency.json"), str(tmp_path / "after.json")]
    assert main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert main([*arguments, "--force"]) == 0
    said = capsys.readouterr().out
    assert "2.00" in said and "unlike: cores is" in said
    assert main([*arguments, "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["results"][0]["ratio"] == 2.0
    assert main([*arguments[:2], "missing.json"]) == 2
    assert "the result file is missing" in capsys.readouterr().err
