"""Counts against a baseline, crashes among bundles, and the table."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.device.emulator import build_plugin
from benchmarks.device.examples import drawn_examples, people_examples
from benchmarks.device.probe import BLOCKS
from benchmarks.device.run import Job, here
from benchmarks.device.table import device_table, fewest, read_baseline, regressions
from benchmarks.report.tables import RESULTS
from edge_runtime.errors import UsageError


@pytest.fixture
def content() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / "emulated-devices.json").read_text())
    return found


def test_the_committed_result_is_its_own_baseline(content: dict[str, Any]) -> None:
    assert regressions(content, read_baseline(RESULTS / "emulated-devices.json")) == []


def test_over_a_percent_more_is_named(content: dict[str, Any]) -> None:
    later = copy.deepcopy(content)
    row = later["results"][0]
    row["million_instructions"]["face"] *= 1.009
    row["interpreter"] = f"{row['interpreter'].split()[0]} 99"  # of any version
    assert regressions(later, content) == []
    row["million_instructions"]["face"] *= 1.009
    [line] = regressions(later, content)
    assert row["name"] in line and row["cpu"] in line and "face" in line and "+1.8%" in line
    row["million_instructions"]["face"] /= 2
    assert regressions(later, content) == []  # fewer are welcome


def test_nothing_to_compare(content: dict[str, Any]) -> None:
    later = copy.deepcopy(content)
    for row in later["results"]:
        row["name"] = f"another {row['name']}"
    with pytest.raises(UsageError, match="the baseline has counts of none of these bundles"):
        regressions(later, content)


def test_a_bundle_that_crashes_is_left_out_and_the_others_go_on(tmp_path: Path) -> None:
    """The second bundle kills the process, the fourth is refused."""
    def start(job: Path, marks: Path) -> Iterator[str]:
        names = json.loads(job.read_text())["bundles"]
        yield json.dumps({"interpreter": "some 1.0"})
        total = 0
        for name in names:
            if name == "2":
                raise UsageError("Python ended with signal 11")
            if name == "4":
                yield json.dumps({"bundle": name, "error": "refused"})
                continue
            with marks.open("a") as file:
                for block in (0, *BLOCKS):
                    total += 7 + 1_000_000 * int(name) * block  # a mark costs 7
                    file.write(f"{total}\n")
            yield json.dumps({"bundle": name, "own_moves": {"face": {}}})

    probed = Job([], tmp_path).run(start, list("12345"), "trying", own_moves=False)
    assert set(probed.found) == {"1", "3", "5"}
    assert probed.errors == {"2": "Python ended with signal 11", "4": "refused"}
    assert probed.counts == {name: {"face": [1e6 * int(name)] * 2} for name in "135"}


def test_the_probe_on_this_machine(small_bundles: dict[str, Path], tmp_path: Path) -> None:
    examples = drawn_examples(tmp_path, 2)
    names = [str(path) for path in small_bundles.values()]
    probed = Job(examples, tmp_path).run(here(None), [*names, "none"], "trying", own_moves=True)
    assert set(probed.found) == set(names) and "expected a bundle" in probed.errors["none"]
    for found in probed.found.values():
        assert len(found["decisions"]) == len(found["outputs"]) == 2
        assert all(0 < moved < 0.1 for keys in found["own_moves"].values()
                   for moved in keys.values())
    moves = {Path(name).name: found["own_moves"]["voice"]["embedding"]
             for name, found in probed.found.items()}
    assert moves["float32"] < 1e-5 < moves["dynamic_wi8"]  # what rounds, amplifies rounding


def test_people_to_try(small_people: Path) -> None:
    examples = people_examples(small_people, 3)
    assert len(examples) == 3
    for face, voice in examples:
        assert Path(face).parents[1] == Path(voice).parents[1] and Path(face).is_absolute()


def test_the_table(content: dict[str, Any]) -> None:
    text = device_table(content)
    best = fewest(content["results"])
    assert set(best) == {"cortex-a72", "cortex-a76"}
    for cpu, row in best.items():
        assert f"`{row['name']}` on {cpu}" in text
        assert f"= {row['million_instructions']['total']:.1f}" in text
    for row in content["results"]:  # without a compiler
        row["million_instructions"] = row["spread"] = None
    assert "not counted" in device_table(content)


@pytest.mark.aarch64
@pytest.mark.parametrize("qemu_major", [7, 10])
def test_the_plugin_compiles_without_warnings(tmp_path: Path, qemu_major: int) -> None:
    if not shutil.which("cc"):
        pytest.skip("cc is not installed")
    assert build_plugin(tmp_path, qemu_major).read_bytes().startswith(b"\x7fELF")
