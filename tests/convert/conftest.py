"""What the tests of conversion share: the run is exported once, Keras scores it once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import keras
import pytest

from convert import prepare
from convert.check import parity
from edge_runtime.dataset.collection import Collection, read_collection
from edge_runtime.dataset.people import index_people
from train.runs.folder import RunFolder
from train.scoring.evaluate import network_scores

Quickly = Callable[[], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def collection(small_people: Path) -> Collection:
    return read_collection(index_people(small_people), 64)


@pytest.fixture(scope="module")
def quickly(small_bundles: dict[str, Path]) -> Quickly:
    """Within what it returns, float32 models are taken from the bundle made once, and Keras's
    scores from the first time that they are asked for."""
    def exported(network: keras.Model) -> bytes:
        part = network.name.rpartition("_")[2]
        return (small_bundles["float32"] / f"{part}.tflite").read_bytes()

    @contextmanager
    def within() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(prepare, "export_float32", exported)
            patch.setattr(parity, "network_scores", scores_once)
            yield

    return within


@pytest.fixture
def quick(quickly: Quickly) -> Generator[None, None, None]:
    """The whole test within `quickly`."""
    with quickly():
        yield


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
