"""What the tests of conversion share: the run is exported once, Keras scores it once."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import keras
import pytest

from convert import networks, parity
from edge_runtime.collection import Collection, read_collection
from edge_runtime.people import index_people
from train.evaluate import network_scores
from train.run import RunFolder


@pytest.fixture(scope="module")
def collection(small_people: Path) -> Collection:
    return read_collection(index_people(small_people), 64)


@pytest.fixture
def quick(small_bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the float32 models from the bundle made once, and Keras's scores from the models."""
    def exported(network: keras.Model) -> bytes:
        part = network.name.rpartition("_")[2]
        return (small_bundles["float32"] / f"{part}.tflite").read_bytes()

    monkeypatch.setattr(networks, "export_float32", exported)
    monkeypatch.setattr(parity, "network_scores", scores_once)


@functools.cache
def _scores(modality: Any, root: Path, folder: Path) -> dict[Any, Any]:
    return {}


def scores_once(
    network: keras.Model, collection: Collection, folder: RunFolder, modality: Any, split: Any
) -> dict[Any, Any]:
    kept = _scores(modality, collection.people.root, folder.path)
    if not kept:
        kept |= network_scores(network, collection, folder, modality, split)
    return {s: scores.copy() for s, scores in kept.items()}
