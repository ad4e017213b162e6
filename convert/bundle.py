"""From a run folder to a bundle: convert, compare, judge, write the manifest."""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from convert.export import export_float32, operations
from convert.parity import Comparison, assert_float32, compare
from convert.recipes import MAX_PARTITIONS, apply_recipe
from edge_runtime.accuracy import PairScores, score_pairs
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
from edge_runtime.people import MODALITIES, Modality, Sample, all_combinations
from edge_runtime.voice import CLIP_SAMPLES, SAMPLE_RATE
from train.evaluate import network_scores
from train.examples import network_inputs
from train.run import RunFolder, git_commit

MAX_DROP = 0.01  # of the ensemble's accuracy under float32's, on all combinations
MIN_OVER_CHANCE = 1.5  # times as often right as by chance, or the networks have not learned


@dataclass(frozen=True)
class Converted:
    """One network by a recipe; comparison is None where there is no data to compare on."""

    model: bytes
    network: Network
    embedding_dim: int
    comparison: Comparison | None
    reference: Mapping[Sample, npt.NDArray[np.float32]]


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
    if folder.run.spec.parts != MODALITIES:
        raise ConversionError(f"{folder.path}: {folder.run.spec.family} is one network for both "
                              "modalities; bundles hold pairs so far, convert a pair's run")
    if collection:
        _check_people(folder, collection)
    converted = {modality: _convert(folder, recipe, modality, collection)
                 for modality in MODALITIES}
    accuracy = _accuracy(folder, converted, collection) if collection else None
    manifest = _manifest(folder, recipe, converted, accuracy)
    _write(out, manifest, {modality: c.model for modality, c in converted.items()})
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
    folder: RunFolder, recipe: str, modality: Modality, collection: Collection | None
) -> Converted:
    keras_network = folder.load_network(modality)
    float32 = export_float32(keras_network)
    dim = keras_network.output["embedding"].shape[-1]
    reference: dict[Sample, npt.NDArray[np.float32]] = {}
    if collection:
        samples, inputs = network_inputs(collection, folder.run.spec, modality, "test")
        reference = network_scores(keras_network, collection, folder, modality, "test")
        plain = compare(modality, Network(float32), samples, inputs, reference)
        assert_float32(modality, plain)
    model = apply_recipe(recipe, float32)
    network = Network(model)
    comparison = compare(modality, network, samples, inputs, reference) if collection else None
    return Converted(model, network, dim, comparison, reference)


def _accuracy(
    folder: RunFolder, converted: Mapping[Modality, Converted], collection: Collection
) -> Accuracy:
    names = folder.run.spec.people
    pairs = all_combinations(collection.people)
    found = score_pairs(pairs, names, *(_scores(converted[m]) for m in MODALITIES))
    reference = score_pairs(pairs, names, *(converted[m].reference for m in MODALITIES))
    data = folder.run.data
    shares = found.accuracy()
    return Accuracy(
        data=collection.people.root.name, data_digest=collection.digest,
        synthetic=bool(data and data.synthetic), combinations=len(pairs), face=shares["face"],
        voice=shares["voice"], ensemble=shares["ensemble"], fused=None,
        interval=found.intervals(), agreement=_agreement(found, reference),
        float32=reference.accuracy())


def _scores(converted: Converted) -> Mapping[Sample, npt.NDArray[np.float32]]:
    assert converted.comparison is not None
    return converted.comparison.scores


def _agreement(found: PairScores, reference: PairScores) -> float:
    return float(np.mean(np.argmax(found.columns["ensemble"], axis=1)
                         == np.argmax(reference.columns["ensemble"], axis=1)))


def _manifest(
    folder: RunFolder, recipe: str, converted: Mapping[Modality, Converted],
    accuracy: Accuracy | None,
) -> Manifest:
    run = folder.run
    faults = _faults(recipe, converted, accuracy, len(run.spec.people))
    spec = {k: v for k, v in msgspec.to_builtins(run.spec).items() if k != "people"}
    return Manifest(
        format=FORMAT, people=list(run.spec.people),
        inputs=Inputs(face=FaceContract(size=run.spec.image_size),
                      voice=VoiceContract(samples=CLIP_SAMPLES, sample_rate=SAMPLE_RATE)),
        family=run.spec.family, variant="pair", spec=spec, recipe=recipe, score_scaling=None,
        thresholds=None,
        files={m: _network_file(f"{m}.tflite", c) for m, c in converted.items()},
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


def _faults(
    recipe: str, converted: Mapping[Modality, Converted], accuracy: Accuracy | None,
    num_people: int,
) -> list[str]:
    """Why the bundle is not certified; empty where it is."""
    faults = []
    for modality, c in converted.items():
        partitions = c.network.xnnpack_partitions()
        if partitions is not None and partitions > MAX_PARTITIONS[recipe]:
            faults.append(f"XNNPACK takes the {modality} network in {partitions} pieces, "
                          f"{recipe} allows {MAX_PARTITIONS[recipe]}")
    if accuracy is None:
        return [*faults, "untrained: for latency only"]
    assert accuracy.ensemble is not None
    drop = accuracy.float32["ensemble"] - accuracy.ensemble
    if drop > MAX_DROP:
        faults.append(f"the ensemble loses {100 * drop:.1f} points to float32, at most "
                      f"{100 * MAX_DROP:.1f} are allowed")
    if accuracy.float32["ensemble"] < MIN_OVER_CHANCE / num_people:
        faults.append("the networks are hardly better than chance")
    return faults


def _network_file(name: str, converted: Converted) -> NetworkFile:
    comparison = converted.comparison
    return NetworkFile(
        file=name, sha256=hashlib.sha256(converted.model).hexdigest(), bytes=len(converted.model),
        gzip_bytes=len(gzip.compress(converted.model, mtime=0)),
        embedding_dim=converted.embedding_dim,
        xnnpack_partitions=converted.network.xnnpack_partitions(),
        max_abs_error=comparison.max_abs_error if comparison else None,
        operations=operations(converted.model))


def _write(out: Path, manifest: Manifest, models: Mapping[Modality, bytes]) -> None:
    """Into a folder beside `out`, then in its place, so that no half bundle is left."""
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        for modality, model in models.items():
            (partial / manifest.files[modality].file).write_bytes(model)
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
