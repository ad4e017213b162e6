"""What somebody is enrolled from: embeddings of faces and clips, and which may be stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge_runtime.errors import GalleryError
from edge_runtime.gallery.search import Embeddings
from edge_runtime.manifest import NetworkFile
from edge_runtime.modalities import MODALITIES, Modality

MIN_SAMPLES = 1  # of both modalities together
MAX_SAMPLES = 20  # of each modality


@dataclass(frozen=True)
class NewSample:
    """A face or a clip, by its embedding, float32 [dim] of length 1. source: the file's name or
    what else tells people which one is meant; it is never stored."""

    source: str
    modality: Modality
    embedding: Embeddings


def of_modality(samples: Sequence[NewSample], modality: Modality) -> Embeddings:
    """float32 [n, dim]; [0, 0] where there is none."""
    found = [sample.embedding for sample in samples if sample.modality == modality]
    return np.stack(found) if found else np.empty((0, 0), np.float32)


def check_counts(modalities: Sequence[Modality]) -> None:
    """GalleryError where there are too few or too many samples; the modality of each is given."""
    if len(modalities) < MIN_SAMPLES:
        raise GalleryError("expected at least one face or one clip, found none")
    for modality in MODALITIES:
        count = modalities.count(modality)
        if count > MAX_SAMPLES:
            raise GalleryError(f"expected at most {MAX_SAMPLES} samples of a {modality}, found "
                               f"{count}; choose {MAX_SAMPLES} that differ")


def check_embeddings(
    samples: Sequence[NewSample], networks: Mapping[Modality, NetworkFile]
) -> None:
    """GalleryError where one is not an embedding as the bundle's network gives them."""
    for sample in samples:
        network = networks.get(sample.modality)
        dim = network.embedding_dim if network else 0
        length = float(np.linalg.norm(sample.embedding))
        if sample.embedding.shape != (dim,) or not abs(length - 1) < 0.01:
            raise GalleryError(
                f"{sample.source}: expected {dim} numbers of length 1 from the bundle's "
                f"{sample.modality} network, found {sample.embedding.size} of length "
                f"{length:.2f}; take another sample")


def first_problem(problems: Sequence[str]) -> str:
    """It, and how many more there are."""
    more = len(problems) - 1
    return problems[0] + (f" (and {more} more like it)" if more else "")
