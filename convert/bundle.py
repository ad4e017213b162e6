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

from benchmarks.cost.timing import cpu_name
from convert.auto import MAX_DROP, Say, climb
from convert.check.compatibility import interpreters_for
from convert.check.cost import medians_ms
from convert.check.parity import combination_scores, find_faults, measure
from convert.graph.export import operations
from convert.plots import draw_ladder
from convert.prepare import Chosen, Prepared, Quantization, Quantized, prepare, quantize
from convert.quantize.recipes import AUTO, find_recipe
from edge_runtime.bundle.manifest import (
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
from edge_runtime.dataset.collection import Collection
from edge_runtime.dataset.people import all_combinations
from edge_runtime.errors import ConversionError
from edge_runtime.evaluation.accuracy import PairScores
from edge_runtime.modalities import MODALITIES
from edge_runtime.signals.voice import CLIP_SAMPLES, SAMPLE_RATE
from train.models.registry import Part
from train.runs.folder import RunFolder, git_commit

SLOWER = 0.1  # than float32, which is worth a warning


def make_bundle(
    folder: RunFolder, recipe: str, out: Path, collection: Collection | None, *,
    folded: bool = True, runtime: str = "litert", max_drop: float = MAX_DROP, say: Say = print,
) -> Manifest:
    """Convert a run by a recipe and write the bundle `out`: see `make_bundles`."""
    return make_bundles(folder, [(recipe, out)], collection, folded=folded, runtime=runtime,
                        max_drop=max_drop, say=say)[0]


def make_bundles(
    folder: RunFolder, wanted: Sequence[tuple[str, Path]], collection: Collection | None, *,
    folded: bool = True, runtime: str = "litert", max_drop: float = MAX_DROP, say: Say = print,
) -> list[Manifest]:
    """Convert a run once and write a bundle by each recipe, which must be new or a bundle.

    collection: the run's people, whose test files the accuracy is measured on, whose validation
    files scores are scaled by, and whose training files are the representative samples; None for an
    untrained run. folded: see graph/fold.py. runtime: see quantize/recipes.py. max_drop: of `auto`,
    which leaves its ladder beside the bundle. Nothing is written before everything is known.
    Raises ConversionError.
    """
    needs_samples = any(find_recipe(recipe).needs_samples for recipe, _ in wanted)
    for _, out in wanted:
        check_place(out)
    prepared = prepare(folder, collection, folded=folded, needs_samples=needs_samples)
    made = []
    for recipe, out in wanted:
        quantization = Quantization(recipe, runtime)
        if recipe == AUTO:
            left = left_by_ladder(prepared, out, max_drop, say)
            quantization = replace(quantization, left=left)
        made.append((out, build(prepared, quantization)))
    for out, built in made:
        write_bundle(out, built)
    return [built.manifest for _, built in made]


@dataclass(frozen=True)
class Built:
    """A bundle that is not written yet; scores is None without data to measure on."""

    manifest: Manifest
    models: Mapping[Part, bytes]
    scores: PairScores | None


def build(prepared: Prepared, quantization: Quantization) -> Built:
    """Quantize, measure and judge. Raises ConversionError where the recipe cannot be applied."""
    folder, collection = prepared.folder, prepared.collection
    quantized = {part: quantize(prepared, part, quantization) for part in prepared.exported}
    scores = accuracy = None
    if collection:
        pairs, people = all_combinations(collection.people), folder.run.spec.people
        scores, reference = (
            combination_scores(pairs, people, found, prepared.scaling) for found in (
                {part: q.comparison.scores for part, q in quantized.items() if q.comparison},
                {part: q.reference for part, q in quantized.items()}))
        accuracy = measure(folder, collection, scores, reference)
    manifest = _manifest(prepared, quantization, quantized, accuracy)
    return Built(manifest, {part: q.model for part, q in quantized.items()}, scores)


def left_by_ladder(
    prepared: Prepared, out: Path, max_drop: float, say: Say
) -> Mapping[Part, Sequence[str]]:
    """What `auto` leaves in float32; the ladder is kept beside the bundle `out`, with a picture."""
    out.parent.mkdir(parents=True, exist_ok=True)
    ladder = climb(prepared, out.with_name(f"{out.name}.ladder.json"), max_drop=max_drop, say=say)
    draw_ladder(out.with_name(f"{out.name}.ladder.png"), ladder)
    return {part: ladder.layers(part) for part in prepared.exported}


def check_place(out: Path) -> None:
    """ConversionError unless `out` is new, empty or a bundle to replace."""
    if out.is_file() or (
            out.is_dir() and any(out.iterdir()) and not (out / "manifest.json").is_file()):
        raise ConversionError(f"{out}: expected a new folder or a bundle to replace, found other "
                              "files; name another")


def _manifest(
    prepared: Prepared, quantization: Quantization, quantized: Mapping[Part, Quantized],
    accuracy: Accuracy | None,
) -> Manifest:
    run, recipe, left = prepared.folder.run, quantization.recipe, quantization.left
    faults = find_faults(recipe, {part: q.network for part, q in quantized.items()}, accuracy,
                         len(run.spec.people))
    spec = {k: v for k, v in msgspec.to_builtins(run.spec).items() if k != "people"}
    return Manifest(
        format=FORMAT, people=list(run.spec.people),
        inputs=Inputs(face=FaceContract(size=run.spec.image_size),
                      voice=VoiceContract(samples=CLIP_SAMPLES, sample_rate=SAMPLE_RATE)),
        family=run.spec.family, variant="pair" if run.spec.parts == MODALITIES else "fused",
        spec=spec, recipe=recipe, folded=prepared.folded,
        samples=_samples(prepared.chosen if find_recipe(recipe).needs_samples else None),
        float32_layers={part: list(names) for part, names in left.items()} or None,
        score_scaling=prepared.scaling, thresholds=None,
        files={part: _network_file(f"{part}.tflite", q) for part, q in quantized.items()},
        accuracy=accuracy, certified=not faults,
        reason="; ".join(faults) or "accuracy, parity, operations, shapes and partitions are "
                                    "within their limits",
        warnings=_warnings(prepared, quantized), interpreters=_interpreters(quantized),
        versions=run.versions | {name: importlib.metadata.version(name) for name in
                                 ("tensorflow", "litert-quantizer", "ai-edge-litert")},
        seed=run.training.seed, commit=git_commit())


def _samples(chosen: Chosen | None) -> RepresentativeSamples | None:
    if chosen is None:
        return None
    count: dict[str, int] = {modality: len(files) for modality, files in chosen.files.items()}
    return RepresentativeSamples(seed=chosen.seed, digest=chosen.digest, count=count)


def _interpreters(quantized: Mapping[Part, Quantized]) -> list[str]:
    """Those that every network may run on."""
    each = [interpreters_for(q.model) for q in quantized.values()]
    return [name for name in each[0] if all(name in names for names in each)]


def _warnings(prepared: Prepared, quantized: Mapping[Part, Quantized]) -> list[str]:
    found, data = [], prepared.folder.run.data
    if data and data.synthetic:
        found.append("trained on synthetic people: for trying things out only")
    float32 = [e.model for e in prepared.exported.values()]
    models = [q.model for q in quantized.values()]
    if models != float32:
        ms = medians_ms({"float32": float32, "recipe": models})
        if (slower := ms["recipe"] / ms["float32"] - 1) > SLOWER:
            found.append(f"{100 * slower:.0f} % slower than float32 on the machine that converted "
                         f"it ({cpu_name()})")
    return found


def _network_file(name: str, quantized: Quantized) -> NetworkFile:
    comparison = quantized.comparison
    return NetworkFile(
        file=name, sha256=hashlib.sha256(quantized.model).hexdigest(), bytes=len(quantized.model),
        gzip_bytes=len(gzip.compress(quantized.model, mtime=0)),
        embedding_dim=quantized.embedding_dim,
        xnnpack_partitions=quantized.network.xnnpack_partitions(),
        max_abs_error=comparison.max_abs_error if comparison else None,
        operations=operations(quantized.model))


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
