"""Enrolled from crops of the face and clips, in files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_runtime.decision.identify import Identifier
from edge_runtime.enrolment.files import read_samples
from edge_runtime.errors import GalleryError
from edge_runtime.gallery.samples import check_embeddings


def test_files_become_embeddings(small_bundles: dict[str, Path], small_people: Path) -> None:
    identifier = Identifier.load(small_bundles["float32"], allow_uncertified=True)
    face = small_people / "synthetic_001" / "face" / "000.png"
    clip = small_people / "synthetic_001" / "voice" / "000.flac"
    samples = read_samples(identifier, [face], [clip])
    assert [(s.source, s.modality) for s in samples] == [(str(face), "face"), (str(clip), "voice")]
    check_embeddings(samples, identifier.manifest.files)
    both = identifier.embed(face, clip)
    for sample in samples:
        np.testing.assert_array_equal(sample.embedding, both[sample.modality])
    with pytest.raises(GalleryError, match=r"no such picture file \(and 1 more like it\)$"):
        read_samples(identifier, [face, face / "nowhere", clip])
    with pytest.raises(GalleryError, match="found none"):
        read_samples(identifier)
