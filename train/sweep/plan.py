"""The rows of the table, what they have in common, where each leaves its result, and how many
epochs a budget of minutes allows: the same for every row that is run.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge_runtime.console.parser import did_you_mean
from edge_runtime.errors import RunError, UsageError
from train.models.build import Spec, build_network
from train.models.registry import FAMILIES, Fused, Part

RESULT = "result.json"


@dataclass(frozen=True)
class Settings:
    """Options of a sweep. voice_epochs: of pairs, where their face network trains for another
    number; head_epochs: of rows that train a head on frozen networks, where others train for
    another number; noise: to train with; test_noise and snr_db: for a second test, in noise;
    weights: file of VGG16's ImageNet weights, where it was named."""

    data: Path
    out: Path
    image_size: int = 128
    batch_size: int = 16
    noise: Path | None = None
    test_noise: Path | None = None
    snr_db: float | None = None
    weights: Path | None = None
    voice_epochs: int | None = None
    head_epochs: int | None = None

    def folder(self, row: str, seed: int) -> Path:
        return self.out / row / f"seed{seed}"

    def log(self, row: str, seed: int) -> Path:
        return self.out / row / f"seed{seed}.log"


def read_result(settings: Settings, row: str, seed: int) -> dict[str, Any] | None:
    """The result of a row that is done. RunError where its file is damaged."""
    return read_json(settings.folder(row, seed) / RESULT)


def read_json(file: Path) -> dict[str, Any] | None:
    """What a sweep left in a file; None where there is none. RunError where it is damaged."""
    try:
        content = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
    except ValueError:
        content = False
    if content is None or isinstance(content, dict):
        return content
    raise RunError(f"{file}: expected what a sweep left there, found a damaged file; delete it, "
                   "and the sweep does that part again")


def write_json(file: Path, content: dict[str, Any]) -> None:
    """As a whole or not at all."""
    partial = file.with_name(f"{file.name}.partial")
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    partial.replace(file)


@dataclass(frozen=True)
class Row:
    """One way of training one family.

    weights: what the convolutions start from, where the family takes any.
    """

    name: str
    family: str
    weights: str = "none"
    time_shift: bool = True

    @property
    def towers(self) -> str | None:
        """The row whose trained pair this one joins."""
        return FAMILIES[self.family].towers

    @property
    def frozen(self) -> bool:
        """Whether only a head is trained, on networks that stay as they are."""
        return self.towers is not None or self.weights != "none"

    def start(self, file: Path | None) -> str | None:
        """`weights` as a training takes them. file: holds ImageNet's, where it was named."""
        return None if self.weights == "none" else str(file or self.weights)

    @property
    def fusion(self) -> str:
        """Where the two modalities meet."""
        family = FAMILIES[self.family]
        return family.fusion if isinstance(family, Fused) else "scores"


# VGG16 as in the source experiment: from ImageNet, from scratch, with and without the time shift.
_VARIANTS = (
    Row("vgg16_no_shift", "vgg16", time_shift=False),
    Row("vgg16_imagenet", "vgg16", weights="imagenet"),
    Row("vgg16_imagenet_no_shift", "vgg16", weights="imagenet", time_shift=False),
)
ROWS: dict[str, Row] = {row.name: row for family in FAMILIES for row in (
    Row(family, family), *(variant for variant in _VARIANTS if variant.family == family))}


def rows_by_name(names: str) -> list[Row]:
    """`all`, or names with commas between them, in the table's order, with the pairs whose networks
    they join. UsageError for an unknown name."""
    chosen = set(ROWS) if names == "all" else {name.strip() for name in names.split(",")}
    if unknown := sorted(chosen - set(ROWS)):
        raise UsageError(f"unknown row '{unknown[0]}'{did_you_mean(unknown[0], ROWS)}, expected "
                         f"'all' or some of {', '.join(ROWS)}")
    towers = {ROWS[name].towers for name in chosen} - {None}
    return [row for row in ROWS.values() if row.name in chosen | towers]


def in_order(rows: Sequence[Row], cost: dict[str, float]) -> list[Row]:
    """Cheap rows first, but a pair before what joins it."""
    return sorted(rows, key=lambda row: (
        cost[row.towers] + 1e-6 if row.towers else cost[row.name], row.towers is not None,
        cost[row.name]))


MIN_EPOCHS = 8  # of fewer, a figure would say nothing about the family
START_S = 60.0  # reading files, building, tracing and evaluating, for each network
TRAIN_OVER_FORWARD = 3.5  # a training step over a forward pass: two passes back, and the update
SAFETY = 0.85  # of the budget is planned with
_PROBE = (2, 8)  # examples: what a network costs beside its examples falls out of the difference


@dataclass(frozen=True)
class Plan:
    """epochs of every row in `rows`; `reasons` says why the others are not run."""

    epochs: int
    rows: list[Row]
    reasons: dict[str, str]


def plan(
    rows: Sequence[Row], epoch_s: Mapping[str, float], networks: Mapping[str, int],
    budget_s: float, most_epochs: int, *, gpu: bool,
) -> Plan:
    """Drop the dearest rows until the rest fit with MIN_EPOCHS, then share out what is left.

    epoch_s: seconds of an epoch of each row. networks: how many each trains. budget_s: computing
    time for all rows together.
    """
    least = min(MIN_EPOCHS, most_epochs)
    kept, reasons = list(rows), {}

    def cost(epochs: int) -> float:
        return sum(networks[row.name] * START_S + epochs * epoch_s[row.name] for row in kept)

    while kept and cost(least) > SAFETY * budget_s:
        dearest = max(kept, key=lambda row: epoch_s[row.name])
        dropped = [row for row in kept if dearest.name in (row.name, row.towers)]
        for row in dropped:
            minutes = math.ceil((START_S * networks[row.name] + least * epoch_s[row.name]) / 60)
            reasons[row.name] = (
                f"not run{'' if gpu else ' (no GPU)'}: {least} epochs would take about {minutes} "
                f"minutes" if row is dearest else
                f"not run: joins the networks of {row.towers}, which is not run")
            kept.remove(row)
    epochs = least
    while epochs < most_epochs and cost(epochs + 1) <= SAFETY * budget_s:
        epochs += 1
    return Plan(epochs, kept, reasons)


def epoch_seconds(spec: Spec, part: Part, examples: int, *, frozen: bool) -> float:
    """About how long an epoch takes here, from forward passes of the untrained network.

    frozen: only a small head is trained.
    """
    network = build_network(spec, part)
    seconds = [_forward_s(network, count) for count in _PROBE]
    each = max(seconds[1] - seconds[0], 1e-6) / (_PROBE[1] - _PROBE[0])
    return examples * each * (1.1 if frozen else TRAIN_OVER_FORWARD)


def _forward_s(network: keras.Model, count: int) -> float:
    inputs = {tensor.name: np.zeros((count, *tensor.shape[1:]), np.float32)
              for tensor in network.inputs}
    feed = inputs if len(inputs) > 1 else next(iter(inputs.values()))
    least = math.inf
    for _ in range(3):
        start = time.perf_counter()
        np.asarray(network(feed, training=False)["scores"])
        least = min(least, time.perf_counter() - start)
    return least
