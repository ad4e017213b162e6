"""Representative samples: what a static recipe measures the ranges of activations on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from convert.recipes import Samples
from edge_runtime.collection import Collection
from edge_runtime.errors import ConversionError
from edge_runtime.face import square_face
from edge_runtime.modalities import MODALITIES, Modality
from edge_runtime.people import Sample
from edge_runtime.voice import speech_window
from train.models.registry import Part
from train.spec import Spec

COUNT = 128  # of each modality at most; a network takes seconds for so many


@dataclass(frozen=True)
class Chosen:
    """Training files drawn by seed, at most COUNT of each modality."""

    seed: int
    files: dict[Modality, tuple[Sample, ...]]

    @property
    def digest(self) -> str:
        """Of the names of the files, in order."""
        paths = "\n".join(sample.path for row in self.files.values() for sample in row)
        return hashlib.sha256(paths.encode()).hexdigest()


def choose_samples(collection: Collection, seed: int) -> Chosen:
    """Without drawing a file twice. ConversionError where a modality has no training file."""
    rng = np.random.default_rng([seed, 4])
    files: dict[Modality, tuple[Sample, ...]] = {}
    for modality in MODALITIES:
        there = collection.people.of(modality, "train")
        if not there:
            raise ConversionError(f"{collection.people.root}: expected training files of both "
                                  f"modalities for a static recipe, found no {modality} that is "
                                  "readable and not silent; name the training's data with --data")
        drawn = rng.permutation(len(there))[:COUNT]
        files[modality] = tuple(there[i] for i in drawn)
    return Chosen(seed, files)


def noise_inputs(shapes: Mapping[str, tuple[int, ...]]) -> Samples:
    """Samples of noise for inputs of the given shapes."""
    rng = np.random.default_rng(0)
    scale = {"face": 255.0, "voice": 0.1}
    return [{name: rng.uniform(0, scale[name], shape).astype(np.float32)
             for name, shape in shapes.items()} for _ in range(8)]


def sample_inputs(
    chosen: Chosen, collection: Collection, spec: Spec, part: Part
) -> Samples:
    """The chosen files as the device would feed them; a fused network gets a face and a clip."""
    rows = {}
    if part in ("face", "fused"):
        rows["face"] = [square_face(collection.faces[s], spec.image_size).astype(np.float32)
                        for s in chosen.files["face"]]
    if part in ("voice", "fused"):
        rows["voice"] = [speech_window(collection.clips[s]) for s in chosen.files["voice"]]
    return [dict(zip(rows, (value[np.newaxis] for value in values), strict=True))
            for values in zip(*rows.values(), strict=False)]
