"""Which interpreters a file is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from convert.check.compatibility import LITERT, NEWEST_IN_2_14, TFLITE_RUNTIME, interpreters_for
from convert.quantize.recipes import apply_recipe
from edge_runtime.bundle.networks import Network
from edge_runtime.modalities import MODALITIES
from tests.convert.quantize.test_recipes import weights_of


@pytest.fixture(scope="module")
def model(small_bundles: dict[str, Path]) -> bytes:
    return (small_bundles["float32"] / "face.tflite").read_bytes()


@pytest.mark.parametrize("part", MODALITIES)
def test_float32_runs_on_both(small_bundles: dict[str, Path], part: str) -> None:
    found = interpreters_for((small_bundles["float32"] / f"{part}.tflite").read_bytes())
    assert found == [LITERT, TFLITE_RUNTIME]


@pytest.mark.parametrize("recipe", ["dynamic_wi8", "dynamic_wi4"])
def test_one_scale_for_each_channel_is_not_for_the_old_runtime(recipe: str, model: bytes) -> None:
    assert interpreters_for(apply_recipe(recipe, model)) == [LITERT]


def test_made_for_the_old_runtime(model: bytes) -> None:
    made = apply_recipe("dynamic_wi8", model, runtime="tflite-2.14")
    assert interpreters_for(made) == [LITERT, TFLITE_RUNTIME]
    scales = {kind: count for kind, *_, count in weights_of(made)}
    assert scales["FULLY_CONNECTED"] == 1 and scales["CONV_2D"] > 1
    # Four bits are new to it all the same.
    assert interpreters_for(apply_recipe("dynamic_wi4", model, runtime="tflite-2.14")) == [LITERT]


def test_a_newer_operation_is_not_for_the_old_runtime(
    model: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NEWEST_IN_2_14, "FULLY_CONNECTED", 0)
    assert interpreters_for(model) == [LITERT]


def test_layers_that_are_left_stay_float32(model: bytes) -> None:
    before = {name: dtype for _, name, _, dtype, _ in weights_of(model)}
    left = next(name for kind, name, *_ in weights_of(model) if kind == "FULLY_CONNECTED")
    made = apply_recipe("dynamic_wi8", model, left=[left])
    after = {name: dtype for _, name, _, dtype, _ in weights_of(made)}
    assert after[left] == before[left] and after != before
    every = apply_recipe("dynamic_wi8", model)
    changed = {name for _, name, _, dtype, _ in weights_of(every) if dtype != before[name]}
    assert {name for name in after if after[name] != before[name]} == changed - {left}
    assert Network(made).inputs == Network(model).inputs
