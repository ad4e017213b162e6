"""A run becomes a bundle: measured, judged, whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert import bundle, prepare
from convert.__main__ import all_commands
from convert.bundle import describe, make_bundle, make_bundles
from convert.check import parity
from convert.quantize.recipes import RECIPES, Recipe
from edge_runtime.bundle.manifest import Manifest, read_manifest
from edge_runtime.bundle.networks import load_bundle
from edge_runtime.dataset.collection import Collection
from edge_runtime.dataset.people import all_combinations
from edge_runtime.decision.identify import Identifier
from edge_runtime.errors import ConversionError, UsageError
from edge_runtime.modalities import MODALITIES
from tests.train.training.tiny_training import TINY, TINY_JOIN
from train.models.build import make_spec
from train.models.registry import FAMILIES
from train.runs.folder import RunFolder, init
from train.scoring.evaluate import fused_scores, network_scores
from train.scoring.scaling import fit_scaling


def manifests(small_bundles: dict[str, Path]) -> dict[str, Manifest]:
    return {recipe: read_manifest(path) for recipe, path in small_bundles.items()}


def test_files_are_those_that_the_manifest_lists(small_bundles: dict[str, Path]) -> None:
    for recipe, manifest in manifests(small_bundles).items():
        assert list(manifest.files) == ["face", "voice"]
        for file in manifest.files.values():
            content = (small_bundles[recipe] / file.file).read_bytes()
            assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
            assert gzip.decompress(gzip.compress(content)) == content
            assert file.gzip_bytes == len(gzip.compress(content, mtime=0)) < file.bytes
            assert file.embedding_dim == 320 and file.xnnpack_partitions is not None
            assert file.operations["CONV_2D"] > 1


def test_the_manifest_says_where_it_comes_from(
    small_bundles: dict[str, Path], small_run: RunFolder
) -> None:
    for recipe, manifest in manifests(small_bundles).items():
        run = small_run.run
        assert manifest.people == list(run.spec.people)
        assert (manifest.family, manifest.variant) == (run.spec.family, "pair")
        assert manifest.spec == {"family": run.spec.family, "image_size": 64,
                                 "loss": "softmax", "cosface_scale": 30.0}
        assert manifest.recipe == recipe and manifest.seed == run.training.seed
        assert manifest.inputs.face and manifest.inputs.face.size == 64
        assert manifest.score_scaling is not None and manifest.thresholds is None
        assert (manifest.samples is not None) is (recipe == "mixed_wi8")
        assert manifest.interpreters == ["ai-edge-litert", *(
            ["tflite-runtime"] if recipe == "float32" else [])]
        assert set(manifest.versions) >= {"visavox", "python", "keras", "numpy", "tensorflow",
                                          "litert-quantizer", "ai-edge-litert"}
        assert any("synthetic" in warning for warning in manifest.warnings)


def test_accuracy_is_on_all_combinations(
    small_bundles: dict[str, Path], collection: Collection
) -> None:
    found = manifests(small_bundles)
    for recipe, manifest in found.items():
        accuracy = manifest.accuracy
        assert accuracy is not None and accuracy.fused is None and accuracy.synthetic
        assert accuracy.combinations == len(all_combinations(collection.people)) == 8
        assert accuracy.data_digest == collection.digest
        assert set(accuracy.interval) == set(accuracy.float32) == {"face", "voice", "ensemble"}
        for column, (low, high) in accuracy.interval.items():
            assert low <= getattr(accuracy, column) <= high
        limit = 1e-4 if recipe == "float32" else 0.2
        for file in manifest.files.values():
            assert file.max_abs_error is not None and 0 < file.max_abs_error < limit
    exact = found["float32"].accuracy
    assert exact is not None and exact.agreement == 1
    assert exact.float32 == {c: getattr(exact, c) for c in ("face", "voice", "ensemble")}


def test_scores_are_scaled_by_validation_files(
    small_bundles: dict[str, Path], small_run: RunFolder, small_people: Path,
    collection: Collection,
) -> None:
    """The same for every recipe; what identifies on the device is what accuracy is of."""
    scalings = [manifest.score_scaling for manifest in manifests(small_bundles).values()]
    assert scalings[0] is not None and all(scaling == scalings[0] for scaling in scalings)
    pairs = all_combinations(collection.people, "validation")
    face, voice = (network_scores(small_run.load_network(modality), collection, small_run, modality,
                                  "validation") for modality in MODALITIES)
    expected = fit_scaling(np.stack([face[f] for f, _ in pairs]),
                           np.stack([voice[v] for _, v in pairs]),
                           np.array([small_run.run.spec.people.index(f.person) for f, _ in pairs]))
    for modality in MODALITIES:
        found, wanted = getattr(scalings[0], modality), getattr(expected, modality)
        assert found.temperature == pytest.approx(wanted.temperature, rel=0.05)
        assert found.weight == pytest.approx(wanted.weight, rel=0.05)
    identifier = Identifier.load(small_bundles["float32"], allow_uncertified=True)
    named = [identifier.identify(small_people / f.path, small_people / v.path).top[0].person
             == f.person for f, v in all_combinations(collection.people)]
    accuracy = read_manifest(small_bundles["float32"]).accuracy
    assert accuracy is not None and accuracy.ensemble == np.mean(named)


def test_certified_means_without_a_fault(small_bundles: dict[str, Path]) -> None:
    manifest = read_manifest(small_bundles["float32"])
    assert manifest.accuracy is not None
    learned = manifest.accuracy.float32["ensemble"] >= 1.5 / 4
    assert manifest.certified is learned
    assert ("within their limits" if learned else "hardly better than chance") in manifest.reason


def test_the_keys_of_json(small_bundles: dict[str, Path]) -> None:
    for manifest in manifests(small_bundles).values():
        content = json.loads(json.dumps(describe(manifest)))
        assert set(content) >= {"certified", "reason", "warnings", "bytes", "gzip_bytes",
                                "accuracy", "agreement", "partitions", "max_abs_error"}
        assert set(content["accuracy"]) == {"face", "voice", "ensemble", "fused"}
        for key in ("bytes", "gzip_bytes", "partitions"):
            assert content[key]["total"] == content[key]["face"] + content[key]["voice"]
        errors = content["max_abs_error"]
        assert errors["total"] == max(errors["face"], errors["voice"])


def test_a_folder_of_other_files_is_refused(
    small_run: RunFolder, collection: Collection, tmp_path: Path
) -> None:
    (tmp_path / "letter.txt").write_text("Dear Anna")
    for out in (tmp_path, tmp_path / "letter.txt"):
        with pytest.raises(ConversionError, match="expected a new folder or a bundle to replace"):
            make_bundle(small_run, "float32", out, collection)
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]
    assert (tmp_path / "letter.txt").read_text() == "Dear Anna"


def test_an_unknown_recipe(
    quick: None, small_run: RunFolder, collection: Collection, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="unknown recipe 'int4', expected one of float32"):
        make_bundle(small_run, "int4", tmp_path / "bundle", collection)
    assert not list(tmp_path.iterdir())


def test_several_recipes_at_once_are_as_one_by_one(
    quick: None, small_bundles: dict[str, Path], small_run: RunFolder, collection: Collection,
    tmp_path: Path,
) -> None:
    recipes = ("float32", "mixed_wi8")
    made = make_bundles(small_run, [(recipe, tmp_path / recipe) for recipe in recipes], collection)
    for recipe, manifest in zip(recipes, made, strict=True):
        assert read_manifest(tmp_path / recipe) == manifest
        alone = read_manifest(small_bundles[recipe])
        assert {part: file.sha256 for part, file in manifest.files.items()} == {
            part: file.sha256 for part, file in alone.files.items()}
        assert manifest.samples == alone.samples and manifest.accuracy == alone.accuracy


def test_of_several_bundles_none_is_written_where_one_cannot_be(
    small_run: RunFolder, collection: Collection, tmp_path: Path
) -> None:
    (tmp_path / "letter.txt").write_text("Dear Anna")
    with pytest.raises(ConversionError, match="expected a new folder or a bundle to replace"):
        make_bundles(small_run, [("float32", tmp_path / "bundle"),
                                 ("mixed_wi8", tmp_path / "letter.txt")], collection)
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("outs", [["a"], ["a", "a"], ["a", "b", "c"]])
def test_each_recipe_has_a_bundle_of_its_own(
    outs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for out in outs for word in ("--out", out)]
    assert all_commands().main(["bundle", "run", "--recipe", "float32", "--recipe", "mixed_wi8",
                                *words]) == 2
    assert "expected each --recipe with a different --out" in capsys.readouterr().err


def test_a_bundle_is_replaced_as_a_whole(
    quick: None, small_run: RunFolder, collection: Collection, tmp_path: Path
) -> None:
    out = tmp_path / "deep" / "bundle"
    make_bundle(small_run, "float32", out, collection)
    (out / "old.tflite").touch()
    manifest = make_bundle(small_run, "dynamic_wi8", out, collection)
    assert read_manifest(out) == manifest == load_bundle(out, allow_uncertified=True).manifest
    assert {p.name for p in out.iterdir()} == {"manifest.json", "face.tflite", "voice.tflite"}
    assert [p.name for p in out.parent.iterdir()] == ["bundle"]


@pytest.mark.parametrize("step", ["apply_recipe", "write_manifest", "operations"])
@pytest.mark.parametrize("there", [False, True], ids=["new", "replacing"])
def test_nothing_half_is_left(
    quick: None, small_run: RunFolder, collection: Collection, tmp_path: Path,
    small_bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch, step: str, there: bool,
) -> None:
    out = tmp_path / "bundle"
    if there:
        out.mkdir()
        for file in small_bundles["float32"].iterdir():
            (out / file.name).write_bytes(file.read_bytes())

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(prepare if step == "apply_recipe" else bundle, step, fail)
    with pytest.raises(OSError, match="the disk is full"):
        make_bundle(small_run, "dynamic_wi8", out, collection)
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"] * there
    if there:
        load_bundle(out, allow_uncertified=True)
        assert read_manifest(out).recipe == "float32"


def test_every_fault_is_named(
    quick: None, small_run: RunFolder, collection: Collection, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(RECIPES, "float32", Recipe(None, max_partitions=0))
    monkeypatch.setattr(parity, "MAX_DROP", -0.5)
    monkeypatch.setattr(parity, "MIN_OVER_CHANCE", 5)
    manifest = make_bundle(small_run, "float32", tmp_path / "bundle", collection)
    assert not manifest.certified
    assert manifest.reason == (
        "XNNPACK takes the face network in 1 pieces, float32 allows 0; "
        "XNNPACK takes the voice network in 1 pieces, float32 allows 0; "
        "the ensemble accuracy loses 0.0 points to float32, at most -50.0 are allowed; "
        "the networks are hardly better than chance")


def test_a_recipe_that_loses_is_not_certified(
    quick: None, small_run: RunFolder, collection: Collection, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Scores of the recipe turned around, so that the last person is named where the first was."""
    plain = prepare.compare

    def compare(*arguments: Any) -> Any:
        found = plain(*arguments)
        return replace(found, scores={s: row[::-1].copy() for s, row in found.scores.items()})

    monkeypatch.setattr(prepare, "compare", compare)
    manifest = make_bundle(small_run, "dynamic_wi8", tmp_path / "bundle", collection)
    accuracy = manifest.accuracy
    assert accuracy is not None and accuracy.ensemble is not None and accuracy.agreement < 1
    drop = accuracy.float32["ensemble"] - accuracy.ensemble
    assert (f"loses {100 * drop:.1f} points" in manifest.reason) is (drop > 0.01)
    assert not manifest.certified


def test_a_conversion_that_differs_stops_everything(
    quick: None, small_run: RunFolder, collection: Collection, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = parity.network_scores

    def other_scores(*arguments: Any) -> dict[Any, Any]:
        return {s: row + np.float32(0.01) for s, row in known(*arguments).items()}

    monkeypatch.setattr(parity, "network_scores", other_scores)
    with pytest.raises(ConversionError, match=r"differs from Keras by 1\.0e-02"):
        make_bundle(small_run, "float32", tmp_path / "bundle", collection)
    assert not list(tmp_path.iterdir())


def test_an_untrained_run_is_not_certified(
    quick: None, small_run: RunFolder, tmp_path: Path
) -> None:
    spec = make_spec(small_run.run.spec.family, small_run.run.spec.people, 64)
    manifest = make_bundle(init(spec, tmp_path / "run", seed=0), "float32", tmp_path / "bundle",
                           None)
    assert not manifest.certified and manifest.reason == "untrained: for latency only"
    assert manifest.accuracy is None and manifest.warnings == []
    assert all(file.max_abs_error is None for file in manifest.files.values())
    content = describe(manifest)
    assert content["accuracy"] is None and content["agreement"] is None
    assert content["max_abs_error"] == {"face": None, "voice": None, "total": None}
    assert read_manifest(tmp_path / "bundle") == manifest


def test_a_fused_network_becomes_a_bundle(
    small_people: Path, collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scores of every combination by one network; with a face alone there is nothing to run."""
    monkeypatch.setitem(FAMILIES, "tiny", TINY)
    monkeypatch.setitem(FAMILIES, TINY_JOIN.name, TINY_JOIN)
    spec = make_spec(TINY_JOIN.name, collection.people.names, 64)
    folder = init(spec, tmp_path / "run", seed=0)
    manifest = make_bundle(folder, "float32", tmp_path / "bundle", collection)
    assert list(manifest.files) == ["fused"] and manifest.variant == "fused"
    accuracy = manifest.accuracy
    assert accuracy is not None and accuracy.combinations == 8 and accuracy.agreement == 1
    assert (accuracy.face, accuracy.voice, accuracy.ensemble) == (None, None, None)
    assert accuracy.columns == accuracy.float32 and list(accuracy.columns) == ["fused"]
    content = describe(manifest)
    assert content["bytes"] == {"fused": manifest.files["fused"].bytes,
                                "total": manifest.files["fused"].bytes}
    identifier = Identifier.load(tmp_path / "bundle", allow_uncertified=True)
    face, clip = all_combinations(collection.people)[3]
    decision = identifier.identify(small_people / face.path, small_people / clip.path)
    expected = fused_scores(folder.load_network("fused"), collection, folder, [(face, clip)])[0]
    np.testing.assert_allclose(decision.scores["fused"], expected, atol=1e-4)
    with pytest.raises(UsageError, match="takes a face and a voice together"):
        identifier.identify(face=small_people / face.path)
    with pytest.raises(UsageError, match="a face network of its own, found fused; enroll with"):
        identifier.embed(face=small_people / face.path)
