"""A run folder whose networks start from a published MobileViT checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import keras

from edge_runtime.console.output import table
from edge_runtime.errors import UsageError
from train.models.build import Spec
from train.models.registry import Part, pair_families
from train.pretrained.checkpoints import import_weights, read_checkpoint
from train.runs.folder import RunFolder, Training, draw_network, save_untrained

Taken = dict[str, int | None]
"""Weights by stage of the network, None where the stage was left as drawn."""


def init_from_checkpoint(
    spec: Spec, checkpoint: Path, out: Path, seed: int
) -> tuple[RunFolder, dict[Part, Taken]]:
    """An untrained run with the checkpoint's weights in its face and its voice network.

    Returns it with what each network took. Nothing is written where the checkpoint does not fit:
    RunError. UsageError for a family that is no pair of MobileViTs.
    """
    taking = [family.name for family in pair_families() if family.name.startswith("mobilevit")]
    if spec.family not in taking:
        raise UsageError(f"{spec.family} takes no MobileViT checkpoint, expected one of "
                         f"{', '.join(taking)}")
    state = read_checkpoint(checkpoint)
    networks: dict[Part, keras.Model] = {}
    taken: dict[Part, Taken] = {}
    for part in spec.parts:
        networks[part] = draw_network(spec, part, seed)
        taken[part] = _stages(networks[part], import_weights(networks[part], state))
    training = Training(seed=seed, init_from=str(checkpoint.resolve()),
                        init_digest=hashlib.sha256(checkpoint.read_bytes()).hexdigest())
    return save_untrained(spec, out, training, networks), taken


def describe(taken: Mapping[Part, Taken]) -> str:
    """A table of what was taken or left."""
    stages = dict.fromkeys(stage for column in taken.values() for stage in column)
    rows = [[stage, *(_cell(column, stage) for column in taken.values())] for stage in stages]
    return table(["layers", *taken], rows)


def _stages(network: keras.Model, left: list[str]) -> Taken:
    ours = ["band_norm", *left]  # no checkpoint has heard sound
    taken: Taken = {}
    for layer in network.layers:
        if not layer.weights:
            continue
        if layer.name in ours:
            taken[layer.name] = None
        else:
            stage = layer.name.partition("_")[0]
            taken[stage] = (taken.get(stage) or 0) + layer.count_params()
    return taken


def _cell(taken: Taken, stage: str) -> str:
    if stage not in taken:
        return "-"
    weights = taken[stage]
    return "left as drawn" if weights is None else f"{weights:,} weights"
