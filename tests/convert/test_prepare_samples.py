"""What data a conversion needs: people whom the run knows, files to test on, samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convert.bundle import make_bundle
from convert.prepare import COUNT, choose_samples, sample_inputs
from edge_runtime.dataset.collection import Collection
from edge_runtime.errors import ConversionError
from edge_runtime.modalities import MODALITIES
from train.runs.folder import RunFolder
from train.training.examples import pair_inputs


def test_samples_are_drawn_by_seed_from_training_files(collection: Collection) -> None:
    chosen = choose_samples(collection, seed=1)
    assert chosen == choose_samples(collection, seed=1)
    assert chosen.digest == choose_samples(collection, seed=1).digest
    assert chosen.digest != choose_samples(collection, seed=2).digest
    for modality in MODALITIES:
        files = chosen.files[modality]
        assert {sample.split for sample in files} == {"train"}
        assert {sample.modality for sample in files} == {modality}
        assert len(set(files)) == len(files) == min(
            COUNT, len(collection.people.of(modality, "train")))


def test_samples_are_what_the_device_would_feed(
    collection: Collection, small_run: RunFolder
) -> None:
    chosen, spec = choose_samples(collection, seed=0), small_run.run.spec
    rows = {part: sample_inputs(chosen, collection, spec, part)
            for part in ("face", "voice", "fused")}
    pairs = list(zip(chosen.files["face"], chosen.files["voice"], strict=False))
    expected = pair_inputs(collection, spec, pairs)
    for part, samples in rows.items():
        for sample in samples:
            assert {value.dtype for value in sample.values()} == {np.dtype(np.float32)}
        for modality in MODALITIES if part == "fused" else (part,):
            found = np.concatenate([sample[modality] for sample in samples])
            np.testing.assert_array_equal(found[: len(pairs)], expected[modality])


@pytest.mark.parametrize("modality", MODALITIES)
def test_nothing_to_measure_ranges_on(
    collection: Collection, small_run: RunFolder, tmp_path: Path, modality: str
) -> None:
    rest = collection.people.without(collection.people.of(modality, "train"))
    with pytest.raises(ConversionError, match=f"found no {modality} that is readable and not "
                                              "silent; name the training's data with --data"):
        make_bundle(small_run, "mixed_wi8", tmp_path / "bundle", replace(collection, people=rest))
    assert not list(tmp_path.iterdir())


def test_people_that_the_run_does_not_know(
    small_run: RunFolder, collection: Collection, tmp_path: Path
) -> None:
    samples = tuple(replace(s, person="zoe") if s.person == "synthetic_004" else s
                    for s in collection.people.samples)
    others = replace(collection, people=replace(collection.people, samples=samples))
    with pytest.raises(ConversionError, match="1 people unknown to the run \\(zoe\\)"):
        make_bundle(small_run, "float32", tmp_path / "bundle", others)


def test_data_without_test_files(
    small_run: RunFolder, collection: Collection, tmp_path: Path
) -> None:
    for modality in MODALITIES:
        rest = collection.people.without(collection.people.of(modality, "test"))
        with pytest.raises(ConversionError, match="no person has both a face and a clip"):
            make_bundle(small_run, "float32", tmp_path / "bundle",
                        replace(collection, people=rest))
