"""People on disk: who is there, which file is for what, and what is wrong with the files.

    <root>/<person>/face/*.{jpg,png,...}    face crops
    <root>/<person>/voice/*.{wav,flac,...}  clips
    <root>/split.csv                        optional: path,person,modality,split

The split is train, validation, test or stranger. Without split.csv it is drawn by a seed, person by
person, so that adding somebody leaves everybody else's split alone. Face/ and Voice/ will do too;
names follow the rule in files.py.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal, get_args

import numpy as np

from edge_runtime.console.output import because
from edge_runtime.dataset.passed_over import (
    PassedOver,
    described,
    is_text,
    listed,
    odd,
    relative,
    sorted_out,
)
from edge_runtime.errors import GalleryError, PeopleError
from edge_runtime.files import checked_name, name_key, read_text, shown
from edge_runtime.modalities import MODALITIES, Modality

Split = Literal["train", "validation", "test", "stranger"]
SPLITS: tuple[Split, ...] = get_args(Split)
SPLIT_COLUMNS = ("path", "person", "modality", "split")
TEST_SHARE = 0.25  # of a person's files, where no split.csv says otherwise
VALIDATION_SHARE = 0.15  # of a person's training files, where there are no validation rows
SCENES = "scene"  # a person's whole pictures, which `train synth --scenes` makes


@dataclass(frozen=True)
class Sample:
    """One file. `path` is relative to the root, with forward slashes."""

    path: str
    person: str
    modality: Modality
    split: Split


@dataclass(frozen=True)
class People:
    """A folder of people: its samples in a fixed order (by person, then path).

    seed: by which the split was drawn, as far as split.csv does not give it. left_out: one line
    each, of people's folders that give nothing. passed_over: what else lies in the folder.
    """

    root: Path
    samples: tuple[Sample, ...]
    seed: int = 0
    left_out: tuple[str, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def problems(self) -> list[str]:
        """One line each."""
        return [*self.left_out, *described(self.passed_over)]

    @property
    def names(self) -> tuple[str, ...]:
        """The people to be told apart, sorted; strangers are not among them."""
        return tuple(sorted({s.person for s in self.samples if s.split != "stranger"}))

    def of(self, modality: Modality, split: Split) -> tuple[Sample, ...]:
        return tuple(s for s in self.samples if (s.modality, s.split) == (modality, split))

    def without(self, dropped: Iterable[Sample]) -> People:
        gone = set(dropped)
        return replace(self, samples=tuple(s for s in self.samples if s not in gone))


def index_people(root: Path, seed: int = 0) -> People:
    """List the people under `root`; no file but split.csv is opened.

    Raises PeopleError if the folder is missing, holds nobody or two people whose names look alike,
    or its split.csv is malformed.
    """
    if not root.is_dir():
        raise PeopleError(f"{root}: expected a folder of people, found none; see README, "
                          "'Your own people'")
    table = root / "split.csv"
    walk = _Walk.of(root)
    if table.is_file():
        samples = _read_split(table)
        left_out, passed = walk.beside({sample.path for sample in samples})
    else:
        samples, left_out = _draw_split(walk, seed)
        passed = walk.passed
    if not samples:
        raise PeopleError(f"{root}: expected <person>/face/* and <person>/voice/*, found no such "
                          "files; see README, 'Your own people'"
                          f"{because([*left_out, *described(passed)])}")
    _refuse_look_alikes(root, {sample.person for sample in samples})
    for modality in MODALITIES:
        if not any((s.modality, s.split) == (modality, "validation") for s in samples):
            samples = _draw_validation(samples, modality, seed)
    ordered = sorted(samples, key=lambda s: (s.person, s.modality, s.path))
    return People(root, tuple(ordered), seed, tuple(left_out), tuple(passed))


def _refuse_look_alikes(root: Path, names: Iterable[str]) -> None:
    known: dict[str, str] = {}
    for name in sorted(names):
        other = known.setdefault(name_key(name), name)
        if other != name:
            raise PeopleError(f"{root}: {shown(other)} and {shown(name)} look like one name; give "
                              "one person one name, and two people names that differ")


@dataclass
class _Walk:
    """What lies in a folder of people. files: paths of pictures and clips, by a person's folder
    and modality. passed: all else, as it would be passed over without a split.csv."""

    root: Path
    files: dict[str, dict[Modality, list[str]]]
    passed: list[PassedOver]

    @classmethod
    def of(cls, root: Path) -> _Walk:
        walk = cls(root, {}, [])
        entries, unreadable = listed(root, root)
        walk.passed += unreadable
        for path in entries:
            if found := odd(path):
                walk._pass(path, *found)
            elif path.is_dir():
                walk._person(path)
            elif not is_text(path):
                walk._pass(path, "files beside the people's folders",
                           "put them into <person>/face and <person>/voice")
        return walk

    def _person(self, folder: Path) -> None:
        found: dict[Modality, list[str]] = {modality: [] for modality in MODALITIES}
        self.files[folder.name] = found
        entries, unreadable = listed(folder, self.root)
        self.passed += unreadable
        for path in entries:
            modality = next((m for m in MODALITIES if m == path.name.casefold()), None)
            if why := odd(path):
                self._pass(path, *why)
            elif path.is_dir() and modality:
                taken, passed = sorted_out(path, self.root, modality)
                found[modality] += [relative(file, self.root) for file in taken]
                self.passed += passed
            elif path.is_dir() and path.name != SCENES:
                self._pass(path, "folders beside face/ and voice/", "rename them, or take them out")
            elif path.is_file() and not is_text(path):
                self._pass(path, "files beside face/ and voice/",
                           "put pictures into face/ and clips into voice/")

    def _pass(self, path: Path, what: str, remedy: str) -> None:
        self.passed.append(PassedOver(relative(path, self.root), what, remedy))

    def beside(self, named: set[str]) -> tuple[list[str], list[PassedOver]]:
        """Whose folders, and what else, a split.csv that names these files passes over."""
        used = {parent.as_posix() for path in named for parent in PurePosixPath(path).parents}
        left_out = [f"{folder}: split.csv names none of its files; left out"
                    for folder in self.files if folder not in used]
        return left_out, [one for one in self.passed if one.path not in named | used]


def _read_split(table: Path) -> list[Sample]:
    text = read_text(table, "a CSV file", PeopleError)
    heading = text.partition("\n")[0]
    # Spreadsheets write the separator of their country.
    separator = next((mark for mark in ";\t" if heading.count(mark) == len(SPLIT_COLUMNS) - 1), ",")
    try:
        reader = csv.DictReader(io.StringIO(text), delimiter=separator)
        if set(reader.fieldnames or ()) != set(SPLIT_COLUMNS):
            raise PeopleError(f"{table}: expected the columns {','.join(SPLIT_COLUMNS)}, found "
                              f"{','.join(reader.fieldnames or ()) or 'nothing'}")
        return [_sample(table, reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise PeopleError(f"{table}: expected a CSV file, found {error}") from None


def _sample(table: Path, line: int, row: dict[str, str | None]) -> Sample:
    path, person, modality, split = (row[column] or "" for column in SPLIT_COLUMNS)
    where = f"{table}, line {line}"
    if None in row.values() or None in row or not path or not person:
        raise PeopleError(f"{where}: expected {len(SPLIT_COLUMNS)} filled columns")
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise PeopleError(f"{where}: expected a path inside the folder, found '{path}'")
    try:
        person = checked_name(person, stranger=split == "stranger")
    except GalleryError as error:
        raise PeopleError(f"{where}: {error}") from None
    for known_modality in MODALITIES:
        for known_split in SPLITS:
            if (modality, split) == (known_modality, known_split):
                return Sample(path, person, known_modality, known_split)
    raise PeopleError(f"{where}: expected a modality of {', '.join(MODALITIES)} and a split of "
                      f"{', '.join(SPLITS)}, found '{modality}' and '{split}'")


def _draw_split(walk: _Walk, seed: int) -> tuple[list[Sample], list[str]]:
    """Samples, and a line for each folder that gives none."""
    people: dict[str, dict[Modality, list[str]]] = {}
    left_out: list[str] = []
    for folder, files in walk.files.items():
        try:
            person = checked_name(folder)
        except GalleryError as error:
            left_out.append(f"{folder}: {error}; left out")
            continue
        known = people.setdefault(person, {modality: [] for modality in MODALITIES})
        for modality in MODALITIES:
            known[modality] += files[modality]
    samples: list[Sample] = []
    for person, files in people.items():
        if not any(files.values()):
            left_out.append(f"{person}: no picture in face/ and no clip in voice/; left out")
        for modality in MODALITIES:
            train = [Sample(path, person, modality, "train") for path in sorted(files[modality])]
            samples += _move(train, "test", TEST_SHARE, seed)
    return samples, left_out


def _draw_validation(samples: list[Sample], modality: Modality, seed: int) -> list[Sample]:
    groups: dict[str, list[Sample]] = {}
    rest: list[Sample] = []
    for sample in samples:
        if (sample.modality, sample.split) == (modality, "train"):
            groups.setdefault(sample.person, []).append(sample)
        else:
            rest.append(sample)
    for group in groups.values():
        ordered = sorted(group, key=lambda s: s.path)
        rest += _move(ordered, "validation", VALIDATION_SHARE, seed)
    return rest


def _move(train: list[Sample], split: Split, share: float, seed: int) -> list[Sample]:
    """Give `share` of one person's files of one modality to `split`, one at least, never all."""
    if len(train) < 2:
        return train
    key = f"{train[0].person}/{train[0].modality}/{split}".encode()
    rng = np.random.default_rng([seed, int.from_bytes(hashlib.sha256(key).digest()[:8], "big")])
    count = max(1, round(share * len(train)))
    moved = set(rng.choice(len(train), count, replace=False).tolist())
    return [replace(s, split=split) if i in moved else s for i, s in enumerate(train)]


def test_pairs(people: People, split: Split = "test") -> list[tuple[Sample, Sample]]:
    """Each face of the split with a clip of the same person, in order, clips repeated as needed."""
    return [(face, clips[i % len(clips)]) for faces, clips in _by_person(people, split)
            for i, face in enumerate(faces)]


def all_combinations(people: People, split: Split = "test") -> list[tuple[Sample, Sample]]:
    """Every face of the split with every clip of the same person."""
    return [(face, clip) for faces, clips in _by_person(people, split)
            for face in faces for clip in clips]


test_pairs.__test__ = False  # type: ignore[attr-defined]  # pytest would collect it where imported


def _by_person(people: People, split: Split) -> list[tuple[list[Sample], list[Sample]]]:
    faces: dict[str, list[Sample]] = {}
    clips: dict[str, list[Sample]] = {}
    for sample in people.samples:
        if sample.split == split:
            groups = faces if sample.modality == "face" else clips
            groups.setdefault(sample.person, []).append(sample)
    return [(faces[name], clips[name]) for name in sorted(faces) if name in clips]
