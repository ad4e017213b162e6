"""Which rows there are, and how a budget is shared out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.errors import UsageError
from train.models.registry import FAMILIES
from train.sweep.plan import (
    MIN_EPOCHS,
    ROWS,
    SAFETY,
    START_S,
    Row,
    epoch_seconds,
    in_order,
    plan,
    rows_by_name,
)

EDGE, JOINED = ROWS["mobilevit_xxs_edge"], ROWS["mobilevit_xxs_edge_frozen_concat"]
VIT, VGG = ROWS["vit"], ROWS["vgg16"]
NETWORKS = {row.name: len(FAMILIES[row.family].parts) for row in ROWS.values()}


def test_every_family_has_a_row() -> None:
    assert {row.family for row in ROWS.values()} == set(FAMILIES)
    assert {row.name for row in ROWS.values() if row.family == "vgg16"} == {
        "vgg16", "vgg16_no_shift", "vgg16_imagenet", "vgg16_imagenet_no_shift"}
    assert rows_by_name("all") == list(ROWS.values())


def test_a_fusion_brings_the_pair_that_it_joins() -> None:
    assert rows_by_name(JOINED.name) == [EDGE, JOINED]
    assert rows_by_name(f" {VIT.name}, {EDGE.name}") == [VIT, EDGE]


def test_an_unknown_row() -> None:
    with pytest.raises(UsageError, match="unknown row 'resnet', expected 'all' or some of vgg16"):
        rows_by_name("vit,resnet")


def test_a_pair_comes_before_what_joins_it_and_cheap_rows_first() -> None:
    cost = {VGG.name: 300.0, VIT.name: 60.0, "vit_frozen_add": 5.0, EDGE.name: 10.0,
            JOINED.name: 20.0}
    rows = [VGG, ROWS["vit_frozen_add"], JOINED, VIT, EDGE]
    assert [row.name for row in in_order(rows, cost)] == [
        EDGE.name, JOINED.name, VIT.name, "vit_frozen_add", VGG.name]


def made(budget_s: float, rows: list[Row], cost: dict[str, float], gpu: bool = False) -> tuple[
        int, list[str], dict[str, str]]:
    found = plan(rows, cost, NETWORKS, budget_s, 50, gpu=gpu)
    return found.epochs, [row.name for row in found.rows], found.reasons


def test_a_large_budget_runs_everything_in_full() -> None:
    assert made(1e6, [EDGE, VIT], {EDGE.name: 10, VIT.name: 100}) == (
        50, [EDGE.name, VIT.name], {})


def test_the_dearest_rows_go_first_and_the_rest_share() -> None:
    epochs, rows, reasons = made(1200, [EDGE, VGG], {EDGE.name: 10, VGG.name: 300})
    assert rows == [EDGE.name]
    assert epochs == 50  # for which 900 s would have been enough
    assert made(600, [EDGE, VGG], {EDGE.name: 10, VGG.name: 300})[0] == int(
        (SAFETY * 600 - 2 * START_S) / 10)
    assert reasons == {VGG.name: "not run (no GPU): 8 epochs would take about 42 minutes"}
    assert "(no GPU)" not in made(1200, [EDGE, VGG], {EDGE.name: 10, VGG.name: 300}, gpu=True)[2][
        VGG.name]


def test_what_joins_a_dropped_pair_is_dropped_with_it() -> None:
    joined = ROWS["vit_frozen_add"]
    _, rows, reasons = made(1000, [EDGE, VIT, joined],
                            {EDGE.name: 5, VIT.name: 300, joined.name: 1})
    assert rows == [EDGE.name]
    assert reasons[joined.name] == "not run: joins the networks of vit, which is not run"


@given(st.lists(st.floats(0.1, 1000), min_size=1, max_size=len(ROWS)), st.floats(1, 1e5))
def test_a_plan_keeps_to_its_budget(costs: list[float], budget_s: float) -> None:
    rows = list(ROWS.values())[: len(costs)]
    cost = {row.name: seconds for row, seconds in zip(rows, costs, strict=True)}
    epochs, kept, reasons = made(budget_s, rows, cost)
    assert set(kept) | set(reasons) == set(cost) and not set(kept) & set(reasons)
    assert MIN_EPOCHS <= epochs <= 50
    spent = sum(START_S * NETWORKS[name] + epochs * cost[name] for name in kept)
    assert spent <= budget_s
    for name in kept:
        assert ROWS[name].towers is None or ROWS[name].towers in kept


def test_an_epoch_of_a_larger_network_takes_longer() -> None:
    from train.models.build import make_spec

    # The least of three: other processes may take a processor away while the small one is timed.
    seconds = [min(epoch_seconds(make_spec(family, ("a", "b"), 64), "face", 100, frozen=False)
                   for _ in range(3)) for family in ("mobilevit_xxs_edge", "vgg16")]
    assert 0 < seconds[0] < seconds[1]
