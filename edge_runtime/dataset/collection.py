"""The contents of a folder of people, read once; what is unusable is named in one report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edge_runtime.console.output import because
from edge_runtime.console.terminal import printable
from edge_runtime.dataset.people import People, Sample
from edge_runtime.errors import InputError, PeopleError
from edge_runtime.modalities import MODALITIES, Modality
from edge_runtime.signals.face import read_face, square_face
from edge_runtime.signals.voice import Sound, read_clip

Progress = Callable[[Iterable[Sample]], Iterable[Sample]]


@dataclass
class Collection:
    """People and their decoded files.

    faces: square crops, uint8 [side, side, 3] each. clips: float32 [samples] at 16 kHz each.
    problems: one line each, of what was left out and why. digest: SHA-256 over paths,
    splits and contents. name: of the data set, that of its folder.
    """

    people: People
    faces: dict[Sample, npt.NDArray[np.uint8]] = field(default_factory=dict)
    clips: dict[Sample, Sound] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    digest: str = ""
    name: str = ""


def read_collection(
    people: People, face_size: int, *, train_face_size: int | None = None,
    progress: Progress = iter,
) -> Collection:
    """Read every file of `people`; faces become squares of `face_size` pixels, as the device makes
    them, and those to train on of `train_face_size`.

    Files that cannot be used, and people who lack a modality, are left out and named in `problems`,
    with what the folder holds besides. PeopleError where fewer than two people are left.
    """
    contents = Collection(people, name=printable(people.root.resolve().name))
    content_hash: dict[Sample, str] = {}
    unusable: list[Sample] = []
    for sample in progress(people.samples):
        path = people.root / sample.path
        try:
            if sample.modality == "face":
                side = train_face_size if sample.split == "train" else None
                contents.faces[sample] = square_face(read_face(path), side or face_size)
            else:
                contents.clips[sample] = read_clip(path)
        except InputError as error:
            contents.problems.append(str(error))
            unusable.append(sample)
        else:
            content_hash[sample] = hashlib.sha256(path.read_bytes()).hexdigest()
    unusable += _copies(content_hash, contents.problems)
    contents.people = _without_incomplete(people.without(unusable), people, contents.problems)
    contents.digest = _digest(content_hash)
    contents.problems += people.problems
    if len(contents.people.names) < 2:
        raise PeopleError(f"{people.root}: expected at least 2 people with faces and voices, found "
                          f"{len(contents.people.names)}{because(contents.problems)}")
    return contents


def _copies(content_hash: dict[Sample, str], problems: list[str]) -> list[Sample]:
    """Files with the same contents in two splits, or under two people, all but one. The test's copy
    stays, so that nothing is tested on what was trained on; of two people's, the first by name."""
    seen: dict[str, list[Sample]] = {}
    for sample, digest in content_hash.items():
        seen.setdefault(digest, []).append(sample)
    dropped: list[Sample] = []
    order = ("stranger", "test", "validation", "train")
    for copies in seen.values():
        kept, *others = sorted(copies, key=lambda s: order.index(s.split))
        others = [s for s in others if (s.split, s.person) != (kept.split, kept.person)]
        problems += [f"{s.path} ({s.split}): the same file as {kept.path} ({kept.split}); "
                     f"left out of {s.split}" for s in others]
        dropped += others
    return dropped


def _without_incomplete(left: People, before: People, problems: list[str]) -> People:
    """Leave out the people who lack training files of a modality, and say how many there were."""
    incomplete: set[str] = set()
    for person in before.names:
        for modality in MODALITIES:
            if not any((s.person, s.modality, s.split) == (person, modality, "train")
                       for s in left.samples):
                problems.append(f"{person}: no usable {modality} to train on, of "
                                f"{_there(before, person, modality)}; left out")
                incomplete.add(person)
    return left.without(s for s in left.samples if s.person in incomplete)


def _there(people: People, person: str, modality: Modality) -> str:
    """How many files somebody has of a modality, those that were passed over among them."""
    files = {s.path for s in people.samples if (s.person, s.modality) == (person, modality)}
    folders = {f"{s.path.partition('/')[0]}/{modality}".casefold() for s in people.samples
               if s.person == person}
    count = len(files) + sum(one.path.rpartition("/")[0].casefold() in folders
                             for one in people.passed_over)
    return f"{count} file{'s' * (count != 1)}"


def _digest(content_hash: dict[Sample, str]) -> str:
    whole = hashlib.sha256()
    for sample in sorted(content_hash, key=lambda s: s.path):
        whole.update(f"{sample.path} {sample.split} {content_hash[sample]}\n".encode())
    return whole.hexdigest()
