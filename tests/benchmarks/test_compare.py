"""`python -m benchmarks compare`: like with like, or the reason why not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cli import main
from benchmarks.compare import SAME, compare_files, compare_table, unlike_conditions
from benchmarks.timing import conditions
from edge_runtime.errors import UsageError

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A result file with these medians, measured under this machine's conditions but for some."""
    known = conditions(1) | {"load": 0.5}

    def made(name: str, medians: dict[str, Any], **changed: Any) -> Path:
        rows = [{"name": key, "median_ms": ms} for key, ms in medians.items()]
        path = tmp_path / name
        path.write_text(json.dumps({"results": rows, "conditions": known | changed}))
        return path

    return made


def test_medians_of_the_same_names(write: Write) -> None:
    before = write("a.json", {"x": {"face": 1.0, "total": 2.0}, "only": {"total": 1.0}})
    after = write("b.json", {"x": {"face": 1.0, "total": 3.0}})
    content = compare_files(before, after)
    assert content == {"unlike": [], "results": [
        {"name": "x", "before_ms": 2.0, "after_ms": 3.0, "ratio": 1.5}]}
    assert "| x |" in compare_table(content) and "1.50" in compare_table(content)


@pytest.mark.parametrize("key", SAME)
def test_unlike_conditions_are_refused_with_the_reason(key: str, write: Write) -> None:
    before = write("a.json", {"x": 1.0})
    after = write("b.json", {"x": 2.0}, **{key: "another"})
    with pytest.raises(UsageError, match=f"{key} is .* and another in the other.*--force"):
        compare_files(before, after)
    content = compare_files(before, after, force=True)
    assert content["results"][0]["ratio"] == 2.0
    assert len(content["unlike"]) == 1 and content["unlike"][0].startswith(key)


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


def test_threads_tell_results_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"conditions": {"threads": [1, 2]}, "results": [
        {"name": "x", "threads": n, "median_ms": {"total": 3.0 / n}} for n in (1, 2)]}))
    names = [row["name"] for row in compare_files(path, path)["results"]]
    assert names == ["x, 1 threads", "x, 2 threads"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"results": [], "conditions": {}}', "\x00",
                                  '{"results": [{}], "conditions": {"cpu": "x"}}'])
def test_what_is_no_result_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="expected what 'latency --json' or 'peers --json'"):
        compare_files(path, path)


def test_nothing_in_common(write: Write) -> None:
    with pytest.raises(UsageError, match=r"found x in .* and y in"):
        compare_files(write("a.json", {"x": 1.0}), write("b.json", {"y": 1.0}))


def test_the_command(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = write("a.json", {"x": 1.0}), write("b.json", {"x": 2.0}, cores=99)
    arguments = ["compare", str(before), str(after)]
    assert main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert main([*arguments, "--force"]) == 0
    said = capsys.readouterr().out
    assert "2.00" in said and "unlike: cores is" in said
    assert main([*arguments[:2], "missing.json"]) == 2
    assert "no such result file" in capsys.readouterr().err
