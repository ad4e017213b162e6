"""From a run folder to a bundle: convert, compare, judge, write the manifest."""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from benchmarks.timing import cpu_name
from convert.auto import MAX_DROP, Say, climb
from convert.export import operations
from convert.interpreters import interpreters_for
from convert.judge import find_faults, measure, pair_scores
from convert.networks import Converted, Exported, convert, export
from convert.plots import draw_ladder
from convert.recipes import AUTO, Quantization, find_recipe
from convert.samples import Chosen, choose_samples, sample_inputs
from convert.speed import medians_ms
from edge_runtime.accuracy import PairScores
from edge_runtime.collection import Collection
from edge_runtime.errors import ConversionError, UsageError
from edge_runtime.manifest import (
    FORMAT,
    Accuracy,
    FaceContract,
    Inputs,
    Manifest,
    NetworkFile,
    RepresentativeSamples,
    VoiceContract,
    write_manifest,
)
from edge_runtime.people import MODALITIES, all_combinations
from edge_runtime.voice import CLIP_SAMPLES, SAMPLE_RATE
from train.leave_out import without_people
from train.models.registry import Part
from train.run import RunFolder, git_commit

SLOWER = 0.1  # than float32, which is worth a warning


def make_bundle(
    folder: RunFolder, recipe: str, out: Path, collection: Collection | None, *,
    folded: bool = True, runtime: str = "litert", max_drop: float = MAX_DROP, say: Say = print,
) -> Manifest:
    """Convert a run by a recipe and write the bundle `out`, which must be new or a bundle.

    collection: the run's people, whose test files the accuracy is measured on, and whose training
    files are the representative samples; None for an untrained run. folded: see convert/fold.py.
    runtime: see convert/recipes.py. max_drop: of `auto`, which leaves its ladder beside the bundle.
    Nothing is written before everything is known. Raises ConversionError.
    """
    needs_samples = find_recipe(recipe).needs_samples
    check_place(out)
    collection = known_people(folder, collection)
    chosen = None
    if needs_samples and collection:
        chosen = choose_samples(collection, folder.run.training.seed)
    exported = {part: export(folder, part, collection, folded=folded)
                for part in folder.run.spec.parts}
    quantization = Quantization(recipe, folded, runtime)
    if recipe == AUTO:
        left = left_by_ladder(folder, exported, collection, chosen, out, max_drop, say)
        quantization = replace(quantization, left=left)
    built = build(folder, quantization, exported, collection, chosen)
    write_bundle(out, built)
    return built.manifest


@dataclass(frozen=True)
class Built:
    """A bundle that is not written yet; scores is None without data to measure on."""

    manifest: Manifest
    models: Mapping[Part, bytes]
    scores: PairScores | None


def build(
    folder: RunFolder, quantization: Quantization, exported: Mapping[Part, Exported],
    collection: Collection | None, chosen: Chosen | None,
) -> Built:
    """Quantize, measure and judge. Raises ConversionError where the recipe cannot be applied."""
    converted = {part: convert(network, quantization, folder, collection, chosen)
                 for part, network in exported.items()}
    scores = pair_scores(folder, converted, collection) if collection else None
    accuracy = measure(folder, converted, collection, scores) if collection and scores else None
    warnings = _warnings(folder, exported, converted)
    manifest = _manifest(folder, quantization, converted, accuracy, chosen, warnings)
    return Built(manifest, {part: c.model for part, c in converted.items()}, scores)


def left_by_ladder(
    folder: RunFolder, exported: Mapping[Part, Exported], collection: Collection | None,
    chosen: Chosen | None, out: Path, max_drop: float, say: Say,
) -> Mapping[Part, Sequence[str]]:
    """What `auto` leaves in float32; the ladder is kept beside the bundle `out`, with a picture."""
    if collection is None or chosen is None:
        raise UsageError("auto is judged on validation files; convert a trained run, without "
                         "--untrained")
    samples = {part: sample_inputs(chosen, collection, folder.run.spec, part) for part in exported}
    out.parent.mkdir(parents=True, exist_ok=True)
    ladder = climb(folder, exported, collection, samples, out.with_name(f"{out.name}.ladder.json"),
                   max_drop=max_drop, say=say)
    draw_ladder(out.with_name(f"{out.name}.ladder.png"), ladder)
    return {part: ladder.layers(part) for part in exported}


def check_place(out: Path) -> None:
    """ConversionError unless `out` is new, empty or a bundle to replace."""
    if out.is_file() or (
            out.is_dir() and any(out.iterdir()) and not (out / "manifest.json").is_file()):
        raise ConversionError(f"{out}: expected a new folder or a bundle to replace, found other "
                              "files; name another")


def known_people(folder: RunFolder, collection: Collection | None) -> Collection | None:
    """Without those whom the run left out. ConversionError where there are others whom it does not
    know, or nobody has both a face and a clip to test on."""
    if collection and folder.run.data:
        collection = without_people(collection, folder.run.data.left_out)
    if collection:
        _check_people(folder, collection)
    return collection


def _check_people(folder: RunFolder, collection: Collection) -> None:
    root = collection.people.root
    if unseen := sorted(set(collection.people.names) - set(folder.run.spec.people)):
        raise ConversionError(f"{root}: {len(unseen)} people unknown to the run "
                              f"({', '.join(unseen[:3])}); name the people it was trained on")
    if not all_combinations(collection.people):
        raise ConversionError(f"{root}: no person has both a face and a clip to test on; give "
                              "everybody test files, or use --untrained")


def _manifest(
    folder: RunFolder, quantization: Quantization, converted: Mapping[Part, Converted],
    accuracy: Accuracy | None, chosen: Chosen | None, warnings: list[str],
) -> Manifest:
    run, recipe, left = folder.run, quantization.recipe, quantization.left
    faults = find_faults(recipe, converted, accuracy, len(run.spec.people))
    spec = {k: v for k, v in msgspec.to_builtins(run.spec).items() if k != "people"}
    return Manifest(
        format=FORMAT, people=list(run.spec.people),
        inputs=Inputs(face=FaceContract(size=run.spec.image_size),
                      voice=VoiceContract(samples=CLIP_SAMPLES, sample_rate=SAMPLE_RATE)),
        family=run.spec.family, variant="pair" if run.spec.parts == MODALITIES else "fused",
        spec=spec, recipe=recipe, folded=quantization.folded, samples=_samples(chosen),
        float32_layers={part: list(names) for part, names in left.items()} or None,
        score_scaling=None, thresholds=None,
        files={part: _network_file(f"{part}.tflite", c) for part, c in converted.items()},
        accuracy=accuracy, certified=not faults,
        reason="; ".join(faults) or "accuracy, parity, operations, shapes and partitions are "
                                    "within their limits",
        warnings=warnings,
        interpreters=_interpreters(converted),
        versions=run.versions | {name: importlib.metadata.version(name) for name in
                                 ("tensorflow", "litert-quantizer", "ai-edge-litert")},
        seed=run.training.seed, commit=git_commit())


def _samples(chosen: Chosen | None) -> RepresentativeSamples | None:
    if chosen is None:
        return None
    count: dict[str, int] = {modality: len(files) for modality, files in chosen.files.items()}
    return RepresentativeSamples(seed=chosen.seed, digest=chosen.digest, count=count)


def _interpreters(converted: Mapping[Part, Converted]) -> list[str]:
    """Those that every network may run on."""
    each = [interpreters_for(c.model) for c in converted.values()]
    return [name for name in each[0] if all(name in names for names in each)]


def _warnings(
    folder: RunFolder, exported: Mapping[Part, Exported], converted: Mapping[Part, Converted]
) -> list[str]:
    found = []
    if folder.run.data and folder.run.data.synthetic:
        found.append("trained on synthetic people: for trying things out only")
    float32, models = [e.model for e in exported.values()], [c.model for c in converted.values()]
    if models != float32:
        ms = medians_ms({"float32": float32, "recipe": models})
        if (slower := ms["recipe"] / ms["float32"] - 1) > SLOWER:
            found.append(f"{100 * slower:.0f} % slower than float32 on the machine that converted "
                         f"it ({cpu_name()})")
    return found


def _network_file(name: str, converted: Converted) -> NetworkFile:
    comparison = converted.comparison
    return NetworkFile(
        file=name, sha256=hashlib.sha256(converted.model).hexdigest(), bytes=len(converted.model),
        gzip_bytes=len(gzip.compress(converted.model, mtime=0)),
        embedding_dim=converted.embedding_dim,
        xnnpack_partitions=converted.network.xnnpack_partitions(),
        max_abs_error=comparison.max_abs_error if comparison else None,
        operations=operations(converted.model))


def write_bundle(out: Path, built: Built) -> None:
    """Into a folder beside `out`, then in its place, so that no half bundle is left."""
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        for part, model in built.models.items():
            (partial / built.manifest.files[part].file).write_bytes(model)
        write_manifest(partial, built.manifest)
    except BaseException:
        shutil.rmtree(partial)
        raise
    if out.exists():
        shutil.rmtree(out)
    partial.replace(out)


def describe(manifest: Manifest) -> dict[str, object]:
    """The keys that `convert bundle --json` prints."""
    def per_network(key: str) -> dict[str, float | None]:
        values = {part: getattr(file, key) for part, file in manifest.files.items()}
        known = [value for value in values.values() if value is not None]
        total = max(known, default=None) if key == "max_abs_error" else sum(known)
        return values | {"total": total}

    accuracy = manifest.accuracy
    return {
        "certified": manifest.certified, "reason": manifest.reason,
        "warnings": manifest.warnings, "recipe": manifest.recipe,
        "bytes": per_network("bytes"), "gzip_bytes": per_network("gzip_bytes"),
        "accuracy": accuracy and {column: getattr(accuracy, column)
                                  for column in ("face", "voice", "ensemble", "fused")},
        "agreement": accuracy and accuracy.agreement,
        "partitions": per_network("xnnpack_partitions"),
        "max_abs_error": per_network("max_abs_error")}
