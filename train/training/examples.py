"""What networks are given: inputs as on the device, and batches of augmented ones to train on, the
same for the same seed however many threads make them.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import keras
import numpy as np
import numpy.typing as npt

from edge_runtime.dataset.collection import Collection
from edge_runtime.dataset.people import Sample, Split, test_pairs
from edge_runtime.errors import PeopleError
from edge_runtime.evaluation.accuracy import Pair
from edge_runtime.modalities import Modality
from edge_runtime.signals.face import square_face
from edge_runtime.signals.voice import Sound, speech_window
from train.models.build import Spec
from train.models.registry import Part
from train.runs.folder import Training
from train.training.augment import augment_clip, augment_face

Array = npt.NDArray[np.float32]
Inputs = Array | dict[str, Array]
"""What a network takes: one array, or one for each of its inputs by name."""
Augment = Callable[[Any, np.random.Generator], Inputs]
MIN_EXAMPLES = 512  # an epoch of fewer would be over before batch norm has seen anything
WORKERS = 2


class Batches(keras.utils.PyDataset):
    """One epoch's batches (inputs, one-hot labels), drawn anew each epoch.

    examples: decoded files. labels: indices of people. augment: (example, rng) -> network input.
    Each example has a random generator of its own, seeded by (seed, epoch, place). workers:
    threads that make batches ahead of the training.
    """

    def __init__(
        self, examples: Sequence[Any], labels: Sequence[int], num_people: int, augment: Augment,
        *, batch_size: int, seed: int, workers: int = WORKERS,
    ) -> None:
        super().__init__(workers=workers, max_queue_size=max(8, 2 * workers))
        self.examples, self.augment, self.seed = examples, augment, seed
        self.targets = np.eye(num_people, dtype=np.float32)[np.asarray(labels)]
        self.batch_size = min(batch_size, len(examples))
        self.epoch = 0
        self.ready_at: dict[int, float] = {}  # when each batch was finished, in seconds

    def __len__(self) -> int:
        return max(len(self.examples), MIN_EXAMPLES) // self.batch_size

    def __getitem__(self, index: int) -> tuple[Inputs, Array]:
        places = range(index * self.batch_size, (index + 1) * self.batch_size)
        chosen = self._examples_at(places)
        views = [
            self.augment(self.examples[i], np.random.default_rng([self.seed, self.epoch, place]))
            for i, place in zip(chosen, places, strict=True)]
        batch = stacked(views), self.targets[chosen]
        self.ready_at[index] = time.perf_counter()
        return batch

    def _examples_at(self, places: range) -> list[int]:
        """Every example once in random order, then again in another order."""
        count = len(self.examples)
        orders = {turn: np.random.default_rng([self.seed, self.epoch, turn, 1]).permutation(count)
                  for turn in range(places[0] // count, places[-1] // count + 1)}
        return [int(orders[place // count][place % count]) for place in places]


def stacked(rows: Sequence[Inputs]) -> Inputs:
    """Single examples -> a batch of them."""
    first = rows[0]
    if isinstance(first, dict):
        by_name = cast(Sequence[dict[str, Array]], rows)
        return {name: np.stack([row[name] for row in by_name]) for name in first}
    return np.stack(cast(Sequence[Array], rows))


class EpochCounter(keras.callbacks.Callback):
    """Tells the batches which epoch it is, before their threads start."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.batches.epoch = epoch


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
