"""How many samples may be stored, and what is no embedding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_runtime.bundle.manifest import Manifest
from edge_runtime.errors import GalleryError
from edge_runtime.gallery.samples import MAX_SAMPLES, NewSample, check_counts, check_embeddings


def test_too_few_and_too_many() -> None:
    check_counts(["face"] * MAX_SAMPLES + ["voice"] * MAX_SAMPLES)
    for modalities, reason in (([], "at least one face or one clip, found none"),
                               (["face"] * 21, "at most 20 samples of a face, found 21"),
                               (["face", *["voice"] * 30], "samples of a voice, found 30")):
        with pytest.raises(GalleryError, match=reason):
            check_counts(modalities)


@pytest.mark.parametrize(("embedding", "found"), [
    (np.zeros(320), "320 of length 0.00"), (np.ones(320), "320 of length 17.89"),
    (np.eye(320)[0][:319], "319 of length 1.00"), (np.full(320, np.nan), "length nan"),
    (np.eye(320), "102400"),
])
def test_what_is_no_embedding(manifest: Manifest, embedding: Any, found: str) -> None:
    sample = NewSample("camera", "face", embedding.astype(np.float32))
    with pytest.raises(GalleryError, match=f"^camera: expected 320 numbers .* found {found}"
                       if found != "length nan" else found):
        check_embeddings([sample], manifest.files)
