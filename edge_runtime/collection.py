"""The contents of a folder of people, read once; what is unusable is named in one report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edge_runtime.errors import InputError, PeopleError
from edge_runtime.face import read_picture, square_face
from edge_runtime.people import MODALITIES, People, Sample
from edge_runtime.voice import Sound, read_clip

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
    people: People, face_size: int, *, train_face_size: int | None = None, strict: bool = False,
    progress: Progress = iter,
) -> Collection:
    """Read every file of `people`; faces become squares of `face_size` pixels, as the device makes
    them, and those to train on of `train_face_size`.

    Files that cannot be used, and people who lack a modality, are left out and named in `problems`;
    with `strict`, PeopleError names them all instead. It is raised too where nobody is left.
    """
    contents = Collection(people, name=people.root.resolve().name)
    content_hash: dict[Sample, str] = {}
    unusable: list[Sample] = []
    for sample in progress(people.samples):
        path = people.root / sample.path
        try:
            if sample.modality == "face":
                side = train_face_size if sample.split == "train" else None
                contents.faces[sample] = square_face(read_picture(path), side or face_size)
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
    if strict and contents.problems:
        raise PeopleError(problem_report(contents.problems))
    if len(contents.people.names) < 2:
        raise PeopleError(f"{people.root}: expected at least 2 people with faces and voices, found "
                          f"{len(contents.people.names)}{_because(contents.problems)}")
    return contents


def problem_report(problems: list[str]) -> str:
    """One report of all problems, a line each."""
    return "\n".join([f"{len(problems)} problem{'s' * (len(problems) != 1)} in the data:",
                      *(f"  - {problem}" for problem in problems)])


def _because(problems: list[str]) -> str:
    if not problems:
        return ""
    more = f" (and {len(problems) - 1} more problems)" if len(problems) > 1 else ""
    return f"; {problems[0]}{more}"


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
    """Leave out the people who lack training files of a modality."""
    incomplete: set[str] = set()
    for person in before.names:
        for modality in MODALITIES:
            if not any((s.person, s.modality, s.split) == (person, modality, "train")
                       for s in left.samples):
                problems.append(f"{person}: no usable {modality} to train on; left out")
                incomplete.add(person)
    return left.without(s for s in left.samples if s.person in incomplete)


def _digest(content_hash: dict[Sample, str]) -> str:
    whole = hashlib.sha256()
    for sample in sorted(content_hash, key=lambda s: s.path):
        whole.update(f"{sample.path} {sample.split} {content_hash[sample]}\n".encode())
    return whole.hexdigest()
