"""Every recipe on one run: what each costs in accuracy, and what it brings in time and bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cost.latency import measure_latency
from convert.auto import MAX_DROP
from convert.bundle import Built, build, check_place, describe, left_by_ladder, write_bundle
from convert.check.cost import layer_snr
from convert.check.parity import MIN_OVER_CHANCE, agreement
from convert.graph.export import operations_in_order
from convert.plots import write_tables
from convert.prepare import Exported, Prepared, Quantization, prepare
from convert.quantize.recipes import AUTO, SWEPT
from edge_runtime.bundle.manifest import FILE_NAME as MANIFEST
from edge_runtime.dataset.collection import Collection
from edge_runtime.errors import ConversionError, UsageError
from edge_runtime.evaluation.accuracy import PairScores, equal_error_rate, people_interval
from train.runs.folder import RunFolder
from train.sweep.plan import read_json, write_json

REFERENCE = "float32"
ROUNDS = 100


def sweep(
    folder: RunFolder, out: Path, collection: Collection, *,
    recipes: Sequence[str] = SWEPT, rounds: int = ROUNDS, folded: bool = True,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Make a bundle of each recipe in `out`, measure all of them and leave table and plots there.

    Returns what `sweep --json` prints. Times are of one thread, recipes in turn in one process. A
    sweep that was stopped goes on: bundles of the same networks, data and recipe are kept, and only
    timed anew. Raises ConversionError where the float32 networks are no better than chance, so that
    there is nothing to lose.
    """
    names = [REFERENCE, *(name for name in recipes if name != REFERENCE)]
    for name in names:
        check_place(out / name)
    prepared = prepare(folder, collection, folded=folded)
    people, chosen = prepared.collection, prepared.chosen
    assert people and chosen
    key = _key(prepared)
    entries: list[dict[str, Any]] = []
    reference: PairScores | None = None
    for name in names:
        if reference and (kept := _kept(out, name, key)):
            entries.append(kept)
            say(f"{name}: kept")
            continue
        try:
            left = left_by_ladder(prepared, out / name, MAX_DROP, say) if name == AUTO else {}
            built = build(prepared, Quantization(name, left=left))
        except (ConversionError, UsageError) as error:  # too few files for auto, say
            entries.append({"recipe": name, "reason": str(error)})
            say(str(error))
            continue
        assert built.scores is not None
        reference = reference or _not_at_chance(folder, built.scores)
        write_bundle(out / name, built)
        entries.append(_entry(built, reference, prepared))
        write_json(_entry_file(out, name), {"key": key, "entry": entries[-1]})
        say(f"{name}: {100 * entries[-1]['accuracy'][built.scores.main_column]:.1f} %, "
            f"{entries[-1]['bytes']['total'] / 1e6:.2f} MB")
    say("latency, recipes in turn")
    conditions = _add_times(entries, out, rounds)
    assert reference is not None
    content = {
        "run": folder.path.name, "family": folder.run.spec.family, "data": people.name,
        "data_digest": people.digest, "synthetic": bool(folder.run.data
                                                        and folder.run.data.synthetic),
        "people": len(folder.run.spec.people), "combinations": len(reference.pairs),
        "samples": {"seed": chosen.seed, "digest": chosen.digest, "files": {
            modality: [s.path for s in files] for modality, files in chosen.files.items()}},
        "folded": folded, "conditions": conditions,
        "layers": {part: _layers(network) for part, network in prepared.exported.items()},
        "recipes": entries}
    (out / "sweep.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    write_tables(out, content)
    return content


def _key(prepared: Prepared) -> str:
    """Stands for all that a bundle is made of but the recipe; the code is not part of it."""
    assert prepared.collection
    whole = hashlib.sha256(f"{prepared.collection.digest} {prepared.scaling}".encode())
    for network in prepared.exported.values():
        whole.update(network.model)
    return whole.hexdigest()


def _entry_file(out: Path, name: str) -> Path:
    return out / f"{name}.json"


def _kept(out: Path, name: str, key: str) -> dict[str, Any] | None:
    """What a sweep before this one found out about the bundle, where that is still there."""
    kept = read_json(_entry_file(out, name))
    if kept is None or kept["key"] != key or not (out / name / MANIFEST).is_file():
        return None
    entry: dict[str, Any] = kept["entry"]
    return entry


def _not_at_chance(folder: RunFolder, scores: PairScores) -> PairScores:
    share = scores.accuracy()[scores.main_column]
    if share < MIN_OVER_CHANCE / len(folder.run.spec.people):
        raise ConversionError(
            f"{folder.path}: the networks are hardly better than chance ({100 * share:.1f} % of "
            f"{len(scores.pairs)} combinations), so that no recipe can lose anything; train longer")
    return scores


def _entry(built: Built, reference: PairScores, prepared: Prepared) -> dict[str, Any]:
    scores = built.scores
    assert scores is not None and built.manifest.accuracy is not None
    column = scores.main_column
    change = scores.correct(column).astype(np.float64) - reference.correct(column)
    rows, main = np.arange(len(scores.labels)), scores.columns[column]
    others = np.ones_like(main, bool)
    others[rows, scores.labels] = False
    files = built.manifest.files
    return {
        **describe(built.manifest), "reason": None,
        "accuracy": scores.accuracy(), "interval": scores.intervals(),
        "change": float(change.mean()), "change_interval": people_interval(change, scores.labels),
        "agreement": agreement(scores, reference),
        "equal_error_rate": equal_error_rate(main[rows, scores.labels], main[others]),
        "certified_reason": built.manifest.reason,
        "parameters": {part: network.parameters for part, network in prepared.exported.items()},
        "layer_snr_db": _layer_snr(built, prepared),
        "operations": {part: file.operations for part, file in files.items()}}


def _layers(network: Exported) -> list[str]:
    return [name for _, name in operations_in_order(network.model)]


def _layer_snr(built: Built, prepared: Prepared) -> dict[str, list[float | None]]:
    """In the order of the layers; null where the recipe's model has no such output."""
    found: dict[str, list[float | None]] = {}
    for part, network in prepared.exported.items():
        if built.models[part] != network.model:
            snr = layer_snr(network.model, built.models[part], prepared.samples(part))
            found[part] = [round(snr[name], 1) if name in snr else None
                           for name in _layers(network)]
    return found


def _add_times(entries: list[dict[str, Any]], out: Path, rounds: int) -> dict[str, Any]:
    made = [entry for entry in entries if not entry["reason"]]
    measured = measure_latency([out / entry["recipe"] for entry in made], rounds=rounds)
    results = measured["results"]
    least = results[0]["median_ms"]["total"]
    for entry, result in zip(made, results, strict=True):
        entry |= {"median_ms": result["median_ms"], "p90_ms": result["p90_ms"],
                  "ratio_to_float32": round(least / result["median_ms"]["total"], 3),
                  "peak_mib": result["cold"]["peak_mib"]}
    conditions: dict[str, Any] = measured["conditions"]
    return conditions
