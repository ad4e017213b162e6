"""From a run folder to a bundle: convert, compare, judge, write the manifest."""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from convert.export import export_float32, operations
from convert.judge import Converted, find_faults, measure
from convert.parity import assert_float32, compare, device_inputs, keras_scores
from convert.recipes import apply_recipe
from edge_runtime.collection import Collection
from edge_runtime.errors import ConversionError
from edge_runtime.interpreter import Network
from edge_runtime.manifest import (
    FORMAT,
    Accuracy,
    FaceContract,
    Inputs,
    Manifest,
    NetworkFile,
    VoiceContract,
    write_manifest,
)
from edge_runtime.people import MODALITIES, all_combinations
from edge_runtime.voice import CLIP_SAMPLES, SAMPLE_RATE
from train.leave_out import without_people
from train.models.registry import Part
from train.run import RunFolder, git_commit


def make_bundle(
    folder: RunFolder, recipe: str, out: Path, collection: Collection | None
) -> Manifest:
    """Convert a run by a recipe and write the bundle `out`, which must be new or a bundle.

    collection: the run's people, whose test files the accuracy is measured on; None for an
    untrained run. Nothing is written before everything is known. Raises ConversionError.
    """
    if out.is_file() or (
            out.is_dir() and any(out.iterdir()) and not (out / "manifest.json").is_file()):
        raise ConversionError(f"{out}: expected a new folder or a bundle to replace, found other "
                              "files; name another")
    if collection and folder.run.data:
        collection = without_people(collection, folder.run.data.left_out)
    if collection:
        _check_people(folder, collection)
    converted = {part: _convert(folder, recipe, part, collection)
                 for part in folder.run.spec.parts}
    accuracy = measure(folder, converted, collection) if collection else None
    manifest = _manifest(folder, recipe, converted, accuracy)
    _write(out, manifest, {part: c.model for part, c in converted.items()})
    return manifest


def _check_people(folder: RunFolder, collection: Collection) -> None:
    root = collection.people.root
    if unseen := sorted(set(collection.people.names) - set(folder.run.spec.people)):
        raise ConversionError(f"{root}: {len(unseen)} people unknown to the run "
                              f"({', '.join(unseen[:3])}); name the people it was trained on")
    if not all_combinations(collection.people):
        raise ConversionError(f"{root}: no person has both a face and a clip to test on; give "
                              "everybody test files, or use --untrained")


def _convert(
    folder: RunFolder, recipe: str, part: Part, collection: Collection | None
) -> Converted:
    keras_network = folder.load_network(part)
    float32 = export_float32(keras_network)
    dim = keras_network.output["embedding"].shape[-1]
    reference = keras_scores(folder, keras_network, part, collection) if collection else {}
    if collection:
        plain = compare(Network(float32), device_inputs(folder, part, collection), reference)
        assert_float32(part, plain)
    model = apply_recipe(recipe, float32)
    network = Network(model)
    comparison = None
    if collection:
        comparison = plain if model is float32 else compare(
            network, device_inputs(folder, part, collection), reference)
    return Converted(model, network, dim, comparison, reference)


def _manifest(
    folder: RunFolder, recipe: str, converted: Mapping[Part, Converted],
    accuracy: Accuracy | None,
) -> Manifest:
    run = folder.run
    faults = find_faults(recipe, converted, accuracy, len(run.spec.people))
    spec = {k: v for k, v in msgspec.to_builtins(run.spec).items() if k != "people"}
    return Manifest(
        format=FORMAT, people=list(run.spec.people),
        inputs=Inputs(face=FaceContract(size=run.spec.image_size),
                      voice=VoiceContract(samples=CLIP_SAMPLES, sample_rate=SAMPLE_RATE)),
        family=run.spec.family, variant="pair" if run.spec.parts == MODALITIES else "fused",
        spec=spec, recipe=recipe, score_scaling=None, thresholds=None,
        files={part: _network_file(f"{part}.tflite", c) for part, c in converted.items()},
        accuracy=accuracy, certified=not faults,
        reason="; ".join(faults) or "accuracy, parity, operations, shapes and partitions are "
                                    "within their limits",
        warnings=_warnings(run.data is not None and run.data.synthetic),
        interpreters=["ai-edge-litert"],
        versions=run.versions | {name: importlib.metadata.version(name) for name in
                                 ("tensorflow", "litert-quantizer", "ai-edge-litert")},
        seed=run.training.seed, commit=git_commit())


def _warnings(synthetic: bool) -> list[str]:
    return ["trained on synthetic people: for trying things out only"] if synthetic else []


def _network_file(name: str, converted: Converted) -> NetworkFile:
    comparison = converted.comparison
    return NetworkFile(
        file=name, sha256=hashlib.sha256(converted.model).hexdigest(), bytes=len(converted.model),
        gzip_bytes=len(gzip.compress(converted.model, mtime=0)),
        embedding_dim=converted.embedding_dim,
        xnnpack_partitions=converted.network.xnnpack_partitions(),
        max_abs_error=comparison.max_abs_error if comparison else None,
        operations=operations(converted.model))


def _write(out: Path, manifest: Manifest, models: Mapping[Part, bytes]) -> None:
    """Into a folder beside `out`, then in its place, so that no half bundle is left."""
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        for part, model in models.items():
            (partial / manifest.files[part].file).write_bytes(model)
        write_manifest(partial, manifest)
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
