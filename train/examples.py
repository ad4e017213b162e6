"""What networks are given: augmented batches to train on, and inputs as on the device."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.accuracy import Pair
from edge_runtime.collection import Collection
from edge_runtime.errors import PeopleError
from edge_runtime.face import square_face
from edge_runtime.modalities import Modality
from edge_runtime.people import Sample, Split, test_pairs
from edge_runtime.voice import Sound, speech_window
from train.augment import augment_clip, augment_face
from train.batches import WORKERS, Augment, Batches, Inputs
from train.models.registry import Part
from train.run import Training
from train.spec import Spec

PREDICT_BATCH = 64  # pairs


def labels_of(samples: tuple[Sample, ...], names: tuple[str, ...]) -> list[int]:
    place = {name: i for i, name in enumerate(names)}
    return [place[s.person] for s in samples]


def training_batches(
    collection: Collection, spec: Spec, training: Training, part: Part, noises: list[Sound],
    workers: int = WORKERS,
) -> Batches:
    samples = collection.people.of("voice" if part == "voice" else "face", "train")
    clips: dict[str, list[Sound]] = {}
    for s in collection.people.of("voice", "train"):
        clips.setdefault(s.person, []).append(collection.clips[s])
    augment: Augment
    if part == "face":
        examples: list[Any] = [collection.faces[s] for s in samples]
        augment = functools.partial(_face_view, spec.image_size)
    elif part == "voice":
        examples = [(collection.clips[s], clips[s.person]) for s in samples]
        augment = functools.partial(_clip_view, noises, training.time_shift)
    else:
        examples = [(collection.faces[s], clips[s.person]) for s in samples]
        augment = functools.partial(_fused_view, spec.image_size, noises, training.time_shift)
    return Batches(examples, labels_of(samples, spec.people), spec.num_people, augment,
                   batch_size=training.batch_size, seed=training.seed, workers=workers)


def _face_view(
    size: int, face: npt.NDArray[np.uint8], rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    return augment_face(face, size, rng)


def _clip_view(
    noises: list[Sound], time_shift: bool, example: tuple[Sound, list[Sound]],
    rng: np.random.Generator,
) -> Sound:
    """A clip, and all clips of the same person."""
    clip, clips = example
    return augment_clip(clip, clips, noises, rng, time_shift=time_shift)


def _fused_view(
    size: int, noises: list[Sound], time_shift: bool,
    example: tuple[npt.NDArray[np.uint8], list[Sound]], rng: np.random.Generator,
) -> dict[str, npt.NDArray[np.float32]]:
    """A face with any clip of the same person."""
    face, clips = example
    clip = clips[rng.integers(len(clips))]
    return {"face": augment_face(face, size, rng),
            "voice": augment_clip(clip, clips, noises, rng, time_shift=time_shift)}


def network_inputs(
    collection: Collection, spec: Spec, modality: Modality, split: Split
) -> tuple[tuple[Sample, ...], npt.NDArray[np.float32]]:
    """The files of a split as the device would feed them: samples, and inputs [n, ...]."""
    samples = collection.people.of(modality, split)
    if modality == "face":
        faces = [square_face(collection.faces[s], spec.image_size) for s in samples]
        return samples, np.stack(faces).astype(np.float32)
    return samples, np.stack([speech_window(collection.clips[s]) for s in samples])


def pair_inputs(
    collection: Collection, spec: Spec, pairs: Sequence[Pair]
) -> dict[str, npt.NDArray[np.float32]]:
    """Pairs as the device would feed them to a fused network: inputs by name, [pairs, ...]."""
    # Each file stands in many pairs, and is made ready once.
    faces = {face: square_face(collection.faces[face], spec.image_size)
             for face in {face for face, _ in pairs}}
    clips = {clip: speech_window(collection.clips[clip]) for clip in {clip for _, clip in pairs}}
    return {"face": np.stack([faces[face] for face, _ in pairs]).astype(np.float32),
            "voice": np.stack([clips[clip] for _, clip in pairs])}


def pair_batches(
    collection: Collection, spec: Spec, pairs: Sequence[Pair]
) -> Iterator[tuple[Sequence[Pair], dict[str, npt.NDArray[np.float32]]]]:
    """`pair_inputs` of a few pairs at a time; all at once would fill the memory."""
    for start in range(0, len(pairs), PREDICT_BATCH):
        few = pairs[start : start + PREDICT_BATCH]
        yield few, pair_inputs(collection, spec, few)


def validation_data(
    collection: Collection, spec: Spec, part: Part
) -> tuple[Inputs, npt.NDArray[np.float32]]:
    inputs: Inputs
    if part == "fused":
        pairs = test_pairs(collection.people, "validation")
        samples = tuple(face for face, _ in pairs)
    else:
        samples = collection.people.of(part, "validation")
    if not samples:
        raise PeopleError(f"{collection.people.root}: expected {part} files to validate on, "
                          "found none; give somebody at least 3 files of each kind")
    if part == "fused":
        inputs = pair_inputs(collection, spec, pairs)
    else:
        _, inputs = network_inputs(collection, spec, part, "validation")
    return inputs, np.eye(spec.num_people, dtype=np.float32)[labels_of(samples, spec.people)]
