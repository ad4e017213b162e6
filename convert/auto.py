"""The recipe `auto`: as `mixed_wi8`, with the layers that suffer most left in float32, as many as
the accuracy on validation asks for and no more.

Layers are ranked by their signal over error. A ladder raises the worst of them to float32: 0, then
1, 2, 4 ... until the loss is within bounds, then half-way back down. Of the rungs within bounds the
fastest is taken.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from convert.check.cost import layer_snr, medians_ms
from convert.check.parity import combination_scores, device_inputs, device_scores
from convert.graph.export import operations_in_order
from convert.prepare import Prepared
from convert.quantize.recipes import AUTO, apply_recipe
from edge_runtime.bundle.networks import Network
from edge_runtime.dataset.collection import Collection
from edge_runtime.dataset.people import all_combinations
from edge_runtime.errors import ConversionError, UsageError
from train.models.registry import Part
from train.sweep.plan import write_json

MAX_DROP = 0.005  # of the accuracy on validation, under float32's
MAX_EVALUATIONS = 40
_RAISED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Rung:
    """raised: how many of the worst layers are float32. ms: median of all networks, in turn with
    float32, whose median then was float32_ms."""

    raised: int
    accuracy: float
    ms: float
    float32_ms: float


@dataclass(frozen=True)
class Ladder:
    """ranked: layers, the worst first, with their signal over error in dB."""

    float32: float
    ranked: Sequence[tuple[Part, str, float]]
    rungs: Sequence[Rung]
    max_drop: float

    @property
    def best(self) -> Rung:
        """The fastest within bounds."""
        within = [rung for rung in self.rungs if rung.accuracy >= self.float32 - self.max_drop]
        return min(within, key=lambda rung: rung.ms / rung.float32_ms)

    def layers(self, part: Part) -> list[str]:
        """Those of one network that the best rung leaves in float32."""
        return _of(part, self.ranked, self.best.raised)


def climb(
    prepared: Prepared, state: Path, *, max_drop: float = MAX_DROP, say: Say = print
) -> Ladder:
    """Search the ladder; what was tried is kept in the file `state`, and not tried again.

    UsageError for a run without people, and for a `max_drop` that no number of combinations can
    show; ConversionError where MAX_EVALUATIONS do not reach it.
    """
    collection = prepared.collection
    if collection is None:
        raise UsageError("auto is judged on validation files; convert a trained run, without "
                         "--untrained")
    pairs = all_combinations(collection.people, "validation")
    if not pairs or max_drop < 1 / len(pairs):
        raise UsageError(f"auto: --max-drop expects at least one of the {len(pairs)} combinations "
                         f"of validation files, {100 / max(len(pairs), 1):.2f} points, found "
                         f"{100 * max_drop:g}")
    search = _Search(prepared, collection)
    reference = search.accuracy({part: e.model for part, e in prepared.exported.items()})
    ranked = search.ranked()
    known = [prepared.folder.run.commit, collection.digest, max_drop, ranked]
    key = hashlib.sha256(json.dumps(known, default=str).encode()).hexdigest()
    rungs = _read(state, key)

    def tried(raised: int) -> bool:
        if raised not in rungs:
            if len(rungs) >= MAX_EVALUATIONS:
                raise ConversionError(f"auto: {MAX_EVALUATIONS} evaluations did not reach a loss "
                                      f"of at most {100 * max_drop:g} points")
            rungs[raised] = search.rung(ranked, raised)
            write_json(state, {"key": key, "rungs": [asdict(rung) for rung in rungs.values()]})
            say(f"auto: {raised} of {len(ranked)} layers in float32: "
                f"{100 * rungs[raised].accuracy:.2f} % (float32 {100 * reference:.2f} %), "
                f"{rungs[raised].float32_ms / rungs[raised].ms:.2f} times as fast")
        return rungs[raised].accuracy >= reference - max_drop

    if not lowest(tried, len(ranked)):
        raise ConversionError(f"auto: with all {len(ranked)} layers in float32 the loss is still "
                              f"above {100 * max_drop:g} points; allow more with --max-drop")
    return Ladder(reference, ranked, sorted(rungs.values(), key=lambda rung: rung.raised), max_drop)


def lowest(within: Callable[[int], bool], most: int) -> bool:
    """Try 0, 1, 2, 4 ... up to `most` until one is within, then half-way down to the last that was
    not. Whether any is within."""
    low, high = -1, 0
    while not within(high):
        if high == most:
            return False
        low, high = high, min(max(1, 2 * high), most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if within(middle) else (middle, high)
    return True


class _Search:
    """What every rung is measured on."""

    def __init__(self, prepared: Prepared, collection: Collection) -> None:
        self.folder, self.collection = prepared.folder, collection
        self.exported, self.scaling = prepared.exported, prepared.scaling
        self.samples = {part: prepared.samples(part) for part in prepared.exported}

    def accuracy(self, models: Mapping[Part, bytes]) -> float:
        """Of the ensemble, or the fused network, on all combinations of validation files."""
        scores = {}
        for part, model in models.items():
            inputs = device_inputs(self.folder, part, self.collection, "validation")
            scores[part] = device_scores(Network(model), inputs)
        pairs = all_combinations(self.collection.people, "validation")
        found = combination_scores(pairs, self.folder.run.spec.people, scores, self.scaling)
        return found.accuracy()[found.main_column]

    def ranked(self) -> list[tuple[Part, str, float]]:
        rows: list[tuple[Part, str, float]] = []
        for part, e in self.exported.items():
            snr = layer_snr(e.model, self._model(part, []), self.samples[part])
            rows += [(part, name, round(snr[name], 1)) for kind, name in
                     operations_in_order(e.model) if kind in _RAISED and name in snr]
        return sorted(rows, key=lambda row: row[2])

    def rung(self, ranked: Sequence[tuple[Part, str, float]], raised: int) -> Rung:
        models = {part: self._model(part, _of(part, ranked, raised)) for part in self.exported}
        ms = medians_ms({"auto": models.values(),
                         "float32": [network.model for network in self.exported.values()]})
        return Rung(raised, self.accuracy(models), ms["auto"], ms["float32"])

    def _model(self, part: Part, layers: list[str]) -> bytes:
        return apply_recipe(AUTO, self.exported[part].model, self.samples[part], left=layers)


def _of(part: Part, ranked: Sequence[tuple[Part, str, float]], raised: int) -> list[str]:
    """The layers of one network among the worst `raised`."""
    return [name for other, name, _ in ranked[:raised] if other == part]


def _read(state: Path, key: str) -> dict[int, Rung]:
    """Rungs that were tried before, under the same conditions."""
    try:
        content = json.loads(state.read_text(encoding="utf-8"))
        if content["key"] != key:
            return {}
        return {rung["raised"]: Rung(**rung) for rung in content["rungs"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
