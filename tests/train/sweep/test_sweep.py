"""A sweep by the command line: trained, gone on with, refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from edge_runtime.errors import RunError
from tests.train.training import tiny_training
from train.models.registry import FAMILIES
from train.sweep.plan import ROWS, Row, Settings, rows_by_name, write_json
from train.sweep.sweep import CLOCK, PLAN, SPENT, _without_weights, sweep
from train.sweep.work import training_of
from train.training.jobs import THREADS

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def tiny_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of the tiny families, here and in the processes that a sweep starts: they begin with
    what is the main module here."""
    for family in (tiny_training.TINY, tiny_training.TINY_JOIN):
        monkeypatch.setitem(FAMILIES, family.name, family)
        monkeypatch.setitem(ROWS, family.name, Row(family.name, family.name))
    monkeypatch.setitem(sys.modules, "__main__", tiny_training)
    for name in THREADS:  # which a sweep sets
        monkeypatch.setenv(name, "1")


@pytest.mark.slow
def test_a_sweep_goes_on_where_it_was(
    small_people: Path, tiny_rows: None, run_train: Run, tmp_path: Path
) -> None:
    out = tmp_path / "sweep"
    command = ["sweep", "--data", small_people, "--out", out, "--image-size", 64,
               "--rows", "tiny_frozen_concat", "--head-epochs", 2, "--json"]
    done = run_train(*command, "--epochs", 1, "--jobs", 2)
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    pair, joined = content["rows"]
    assert (pair["model"], pair["fusion"]) == ("tiny", "scores")
    assert joined["fusion"] == "outputs, frozen: concat"
    assert pair["parameters"] < joined["parameters"]
    assert (pair["epochs"], joined["epochs"]) == (1, 2)
    log = (out / "tiny" / "seed0.log").read_text()  # one row was left for both jobs
    assert "face    1/1: accuracy" in log and "voice   1/1: accuracy" in log
    for column in ("voice", "face", "ensemble", "product", "scaled"):
        assert 0 <= pair["test"][column] <= 1 and 0 <= pair["train"][column] <= 1
    assert pair["test"]["fused"] is None and 0 <= joined["test"]["fused"] <= 1
    assert content["synthetic"] is True and content["data"] == "people"
    assert "frozen" in (out / "sweep.md").read_text() and (out / "pareto.png").is_file()

    (out / "tiny_frozen_concat" / "seed0" / "result.json").unlink()
    before = (out / "tiny" / "seed0" / "result.json").stat().st_mtime_ns
    again = run_train(*command, "--epochs", 1)
    assert again.returncode == 0, again.stderr
    assert (out / "tiny" / "seed0" / "result.json").stat().st_mtime_ns == before
    assert json.loads(again.stdout)["rows"][1]["test"] == joined["test"]

    more = run_train(*command, "--epochs", 1, "--rows", "tiny", "--seeds", 2, "--list", "all")
    assert more.returncode == 0, more.stderr
    rows = {row["row"]: row for row in json.loads(more.stdout)["rows"]}
    assert [rows[name]["seeds"] for name in ("tiny", "tiny_frozen_concat", "vit")] == [
        [0, 1], [0], []]
    assert rows["tiny_frozen_concat"]["test"] == joined["test"]
    assert rows["tiny"]["reason"] is rows["tiny_frozen_concat"]["reason"] is None
    assert rows["vit"]["reason"].startswith("not run")

    other = run_train(*command, "--epochs", 2)
    assert other.returncode == 2 and "a sweep of other rows or settings" in other.stderr
    assert len(other.stderr.strip().splitlines()) == 1


def planned(out: Path, rows: list[Row], seeds: int, spent_s: float) -> Settings:
    """A sweep of ten minutes that was stopped."""
    settings = Settings(out / "people", out)
    asked = {name: str(value) for name, value in asdict(settings).items() if name != "out"}
    names = [row.name for row in rows]
    write_json(out / PLAN, {"asked": {"settings": asked, "rows": names, "seeds": seeds, "epochs": 8,
                                      "budget_minutes": 10.0},
                            "epochs": 8, "reasons": {}, "rows": names})
    write_json(out / CLOCK, {"spent_s": spent_s})
    return settings


def test_rows_after_the_budgets_end_say_so(tmp_path: Path) -> None:
    """The time before the sweep was stopped counts, and no row is forgotten."""
    rows = rows_by_name("mobilevit_xxs_edge_frozen_concat,mobilevit_xxs,vit")
    settings = planned(tmp_path, rows, seeds=2, spent_s=601)
    content = sweep(settings, rows, 2, epochs=8, budget_minutes=10, jobs=2)
    assert len(content["rows"]) == 4
    assert {row["reason"] for row in content["rows"]} == {SPENT}
    assert (tmp_path / "sweep.md").read_text().count(SPENT) == 4


def test_rows_without_their_weights_leave_the_budget_to_others(tmp_path: Path) -> None:
    settings = Settings(tmp_path, tmp_path, weights=tmp_path / "vgg.h5")
    assert _without_weights(settings, rows_by_name("vgg16,vgg16_imagenet,vit")) == {
        "vgg16_imagenet": "not run: --weights expects imagenet, none or a file, found no file "
                          f"'{tmp_path / 'vgg.h5'}'"}


@pytest.mark.parametrize(("name", "epochs", "voice_epochs"), [
    ("mobilevit_xxs_edge", 100, 220), ("vgg16", 100, 220), ("vit_cross_attention", 100, None),
    ("vit_joint_add", 100, None), ("mobilevit_xxs_edge_frozen_add", 20, None),
    ("vgg16_imagenet", 20, None)])
def test_epochs_of_voices_and_of_heads(
    tmp_path: Path, name: str, epochs: int, voice_epochs: int | None
) -> None:
    settings = Settings(tmp_path, tmp_path, voice_epochs=220, head_epochs=20)
    training = training_of(settings, ROWS[name], 0, 100)
    assert (training.epochs, training.voice_epochs) == (epochs, voice_epochs)


def test_a_row_that_fails_leaves_the_others(tmp_path: Path) -> None:
    """There are no people in that folder, which each row says for itself."""
    rows = rows_by_name("mobilevit_xxs_edge_frozen_concat")
    settings = planned(tmp_path, rows, seeds=1, spent_s=0)
    content = sweep(settings, rows, 1, epochs=8, budget_minutes=10)
    assert [row["reason"] for row in content["rows"]] == [
        f"not run: {tmp_path / 'people'}: expected a folder of people, found none; see README, "
        "'Your own people'",
        "not run: joins the networks of mobilevit_xxs_edge, which is not run"]


@pytest.mark.parametrize("name", [PLAN, CLOCK, "mobilevit_xxs_edge/seed0/result.json"])
@pytest.mark.parametrize("damaged", ["", '{"epochs": 8', "[]", "\0\0"])
def test_damaged_files_are_named(tmp_path: Path, name: str, damaged: str) -> None:
    rows = rows_by_name("mobilevit_xxs_edge")
    settings = planned(tmp_path, rows, seeds=1, spent_s=0)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(damaged)
    with pytest.raises(RunError) as caught:
        sweep(settings, rows, 1, epochs=8, budget_minutes=10)
    assert f"{tmp_path / name}: expected what a sweep left there" in str(caught.value)


def test_bad_options(run_train: Run, tmp_path: Path) -> None:
    for options, message in ((["--rows", "resnet"], "unknown row 'resnet'"),
                             (["--budget-minutes", 5, "--voice-epochs", 9],
                              "--budget-minutes chooses the epochs"),
                             (["--budget-minutes", 5, "--head-epochs", 9],
                              "--budget-minutes chooses the epochs"),
                             (["--head-epochs", 0], "--head-epochs expects"),
                             (["--budget-minutes", 0], "--budget-minutes expects a number above 0"),
                             (["--snr", 5], "--test-noise DIR and --snr DB go together")):
        done = run_train("sweep", "--data", tmp_path, "--out", tmp_path / "out",
                         *options)
        assert done.returncode == 2 and message in done.stderr
    assert not (tmp_path / "out").exists()
