"""People on disk: who is there, which file is for what, and what is wrong with the files.

    <root>/<person>/face/*.{jpg,png,...}    face crops
    <root>/<person>/voice/*.{wav,flac,...}  clips
    <root>/split.csv                        optional: path,person,modality,split

The split is train, validation, test or stranger. Without split.csv it is drawn by a seed, person by
person, so that adding somebody leaves everybody else's split alone.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from edge_runtime.errors import PeopleError
from edge_runtime.face import is_picture
from edge_runtime.files import read_text
from edge_runtime.voice import is_sound

Modality = Literal["face", "voice"]
Split = Literal["train", "validation", "test", "stranger"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)
SPLITS: tuple[Split, ...] = get_args(Split)
COLUMNS = ("path", "person", "modality", "split")
TEST_SHARE = 0.25  # of a person's files, where no split.csv says otherwise
VALIDATION_SHARE = 0.15  # of a person's training files, where there are no validation rows


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

    seed: by which the split was drawn, as far as split.csv does not give it.
    """

    root: Path
    samples: tuple[Sample, ...]
    seed: int = 0

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

    Raises PeopleError if the folder is missing, holds nobody, or its split.csv is malformed.
    """
    if not root.is_dir():
        raise PeopleError(f"{root}: expected a folder of people, found none; see README, "
                          "'Your own people'")
    table = root / "split.csv"
    samples = _read_split(table) if table.is_file() else _draw_split(root, seed)
    if not samples:
        raise PeopleError(f"{root}: expected <person>/face/* and <person>/voice/*, found no such "
                          "files; see README, 'Your own people'")
    for modality in MODALITIES:
        if not any((s.modality, s.split) == (modality, "validation") for s in samples):
            samples = _draw_validation(samples, modality, seed)
    ordered = sorted(samples, key=lambda s: (s.person, s.modality, s.path))
    return People(root, tuple(ordered), seed)


def _read_split(table: Path) -> list[Sample]:
    text = read_text(table, "a CSV file", PeopleError)
    heading = text.partition("\n")[0]
    # Spreadsheets write the separator of their country.
    separator = next((mark for mark in ";\t" if heading.count(mark) == len(COLUMNS) - 1), ",")
    try:
        reader = csv.DictReader(io.StringIO(text), delimiter=separator)
        if set(reader.fieldnames or ()) != set(COLUMNS):
            raise PeopleError(f"{table}: expected the columns {','.join(COLUMNS)}, found "
                              f"{','.join(reader.fieldnames or ()) or 'nothing'}")
        return [_sample(table, reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise PeopleError(f"{table}: expected a CSV file, found {error}") from None


def _sample(table: Path, line: int, row: dict[str, str | None]) -> Sample:
    path, person, modality, split = (row[column] or "" for column in COLUMNS)
    where = f"{table}, line {line}"
    if None in row.values() or None in row or not path or not person:
        raise PeopleError(f"{where}: expected {len(COLUMNS)} filled columns")
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise PeopleError(f"{where}: expected a path inside the folder, found '{path}'")
    for known_modality in MODALITIES:
        for known_split in SPLITS:
            if (modality, split) == (known_modality, known_split):
                return Sample(path, person, known_modality, known_split)
    raise PeopleError(f"{where}: expected a modality of {', '.join(MODALITIES)} and a split of "
                      f"{', '.join(SPLITS)}, found '{modality}' and '{split}'")


def _draw_split(root: Path, seed: int) -> list[Sample]:
    samples: list[Sample] = []
    has_ending = {"face": is_picture, "voice": is_sound}
    for person in sorted(p.name for p in root.iterdir() if p.is_dir()):
        for modality in MODALITIES:
            paths = [path.relative_to(root).as_posix()
                     for path in sorted((root / person / modality).glob("*"))
                     if has_ending[modality](path)]
            train = [Sample(path, person, modality, "train") for path in paths]
            samples += _move(train, "test", TEST_SHARE, seed)
    return samples


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
