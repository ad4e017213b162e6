"""A sweep by the command line: trained, gone on with, refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.slow
def test_a_sweep_goes_on_where_it_was(small_people: Path, run_python: Run, tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    command = ["-m", "train", "sweep", "--data", small_people, "--out", out, "--image-size", 64,
               "--rows", "mobilevit_xxs_edge_frozen_concat", "--json"]
    done = run_python(*command, "--epochs", 1)
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    pair, joined = content["rows"]
    assert (pair["model"], pair["fusion"]) == ("mobilevit_xxs_edge", "scores")
    assert joined["fusion"] == "outputs, frozen: concat"
    assert pair["parameters"] < joined["parameters"]
    for column in ("voice", "face", "ensemble", "product", "scaled"):
        assert 0 <= pair["test"][column] <= 1 and 0 <= pair["train"][column] <= 1
    assert pair["test"]["fused"] is None and 0 <= joined["test"]["fused"] <= 1
    assert content["synthetic"] is True and content["data"] == "people"
    assert "frozen" in (out / "sweep.md").read_text() and (out / "pareto.png").is_file()

    (out / "mobilevit_xxs_edge_frozen_concat" / "seed0" / "result.json").unlink()
    before = (out / "mobilevit_xxs_edge" / "seed0" / "result.json").stat().st_mtime_ns
    again = run_python(*command, "--epochs", 1)
    assert again.returncode == 0, again.stderr
    assert (out / "mobilevit_xxs_edge" / "seed0" / "result.json").stat().st_mtime_ns == before
    assert json.loads(again.stdout)["rows"][1]["test"] == joined["test"]

    other = run_python(*command, "--epochs", 2)
    assert other.returncode == 2 and "a sweep of other rows or settings" in other.stderr
    assert len(other.stderr.strip().splitlines()) == 1


def test_bad_options(run_python: Run, tmp_path: Path) -> None:
    for options, message in ((["--rows", "resnet"], "unknown row 'resnet'"),
                             (["--budget-minutes", 0], "--budget-minutes expects a number above 0"),
                             (["--snr", 5], "--test-noise DIR and --snr DB go together")):
        done = run_python("-m", "train", "sweep", "--data", tmp_path, "--out", tmp_path / "out",
                          *options)
        assert done.returncode == 2 and message in done.stderr
    assert not (tmp_path / "out").exists()
