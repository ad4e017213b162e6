"""How many epochs a budget of minutes allows: the same for every row that is run."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from train.models.build import build_network
from train.models.registry import Part
from train.spec import Spec
from train.sweep.rows import Row

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
