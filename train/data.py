"""The people of a training: from a folder or a pack, without those who are kept out to be enrolled
later.

A pack is decoded people in few files, for a training machine that has numpy and Keras and no more:

    pack.json         what is packed: format 1, sizes, problems, samples and where each lies
    shard_000.npz     arrays, each shard below SHARD_BYTES (shard_001.npz likewise)

`sample_<i>` is a face, uint8 [side, side, 3], as the device makes it or, to train on, larger by
FACE_MARGIN, or a clip, int16 [samples], mono at 16 kHz: 32768 times the sound, rounded to
the nearest, so that it differs by 2^-16 at most (2^-15 at full scale) and 16-bit files at 16 kHz by
nothing. `noise_<i>` is a recording of noise, packed like a clip.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from edge_runtime.dataset.collection import Collection, Progress, read_collection
from edge_runtime.dataset.people import People, Sample, Split, index_people
from edge_runtime.errors import PeopleError, UsageError
from edge_runtime.files import clean, read_text
from edge_runtime.modalities import Modality
from edge_runtime.signals.voice import Sound, read_noises
from train.shards import Array, Shard, ShardWriter, read_arrays
from train.strict_json import from_json, to_json

FORMAT = 1
FILE_NAME = "pack.json"
SHARD_BYTES = 60 * 2**20
FACE_MARGIN = 9 / 8  # faces are kept larger than the network's input, so that crops lose nothing


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A sample and the number of the shard that holds it."""

    path: str
    person: str
    modality: Modality
    split: Split
    shard: int


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The contents of pack.json. split_seed: by which the split was drawn. face_side: in pixels.
    noises: the number of each recording's shard."""

    format: int
    name: str
    digest: str
    split_seed: int
    image_size: int
    face_side: int
    problems: list[str]
    samples: list[Packed]
    noises: list[int]
    shards: list[Shard]


def read_data(
    data: Path, image_size: int, seed: int, *, progress: Progress = iter
) -> Collection:
    """What to train on or to evaluate: a folder of people or a pack; faces to train on are larger
    than the network's input by FACE_MARGIN.

    PeopleError where it cannot be used.
    """
    if is_pack(data):
        return read_pack(data, image_size)
    return read_collection(index_people(data, seed), image_size,
                           train_face_size=round(image_size * FACE_MARGIN), progress=progress)


def is_pack(folder: Path) -> bool:
    """Whether the folder is a pack, or what is left of one."""
    return (folder / FILE_NAME).is_file() or (folder / "shard_000.npz").is_file()


def write_pack(
    out: Path, collection: Collection, image_size: int, noises: Sequence[Sound] = (),
    *, shard_bytes: int = SHARD_BYTES, progress: Progress = iter,
) -> None:
    """Pack a collection that was read for `image_size` into a new folder, wholly or not at all.

    noises: float32 [samples] at 16 kHz each. shard_bytes: more than the largest array. PeopleError
    where `out` holds files or cannot be written.
    """
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise PeopleError(f"{out}: expected a new folder, found files; name another")
    partial = out.absolute().with_name(f".{out.absolute().name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        shards = ShardWriter(partial, shard_bytes)
        samples = [
            Packed(path=s.path, person=s.person, modality=s.modality, split=s.split,
                   shard=shards.add(f"sample_{i}", _array(collection, s)))
            for i, s in enumerate(progress(collection.people.samples))]
        noise_shards = [shards.add(f"noise_{i}", _rounded(noise)) for i, noise in enumerate(noises)]
        contents = Contents(
            format=FORMAT, name=collection.name, digest=collection.digest,
            split_seed=collection.people.seed, image_size=image_size,
            face_side=round(image_size * FACE_MARGIN), problems=collection.problems,
            samples=samples, noises=noise_shards, shards=shards.finished())
        (partial / FILE_NAME).write_bytes(to_json(contents))
        partial.replace(out)
    except OSError as error:
        raise PeopleError(f"{out}: cannot write the pack ({error.strerror}); make room, or name "
                          "another folder") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _array(collection: Collection, sample: Sample) -> Array:
    if sample.modality == "face":
        return collection.faces[sample]
    return _rounded(collection.clips[sample])


def _rounded(sound: Sound) -> npt.NDArray[np.int16]:
    return np.clip(np.rint(sound * 32768), -32768, 32767).astype(np.int16)


def _sound(rounded: Array) -> Sound:
    return rounded.astype(np.float32) / np.float32(32768)


def read_pack(folder: Path, image_size: int) -> Collection:
    """The collection that was packed: the same people, split, digest and faces, clips rounded.

    Raises PeopleError where the pack is damaged, incomplete, of another version, or was made for
    another image size.
    """
    contents = _read_contents(folder)
    side = round(image_size * FACE_MARGIN)
    if (contents.image_size, contents.face_side) != (image_size, side):
        raise PeopleError(
            f"{folder}: expected faces of {side} pixels for image size {image_size}, found "
            f"{contents.face_side} for image size {contents.image_size}; train with --image-size "
            f"{contents.image_size}, or pack again with --image-size {image_size}")
    samples = tuple(Sample(s.path, s.person, s.modality, s.split) for s in contents.samples)
    collection = Collection(People(folder, samples, contents.split_seed), name=contents.name,
                            problems=contents.problems, digest=contents.digest)
    places = [(f"sample_{i}", s.shard) for i, s in enumerate(contents.samples)]
    arrays = read_arrays(folder, contents.shards, places)
    for sample, array in zip(samples, arrays, strict=True):
        if sample.modality == "face":
            collection.faces[sample] = cast(npt.NDArray[np.uint8], array)
        else:
            collection.clips[sample] = _sound(array)
    return collection


def noises_in(folder: Path) -> list[Sound]:
    """The recordings in a folder of noise, or packed with people: float32 [samples] each.

    Raises InputError or PeopleError where there is none.
    """
    if not is_pack(folder):
        return read_noises(folder)
    contents = _read_contents(folder)
    if not contents.noises:
        raise PeopleError(f"{folder}: expected packed noise, found none; pack again with --noise, "
                          "or name a folder of sound files")
    places = [(f"noise_{i}", shard) for i, shard in enumerate(contents.noises)]
    return [_sound(array) for array in read_arrays(folder, contents.shards, places)]


def _read_contents(folder: Path) -> Contents:
    file = folder / FILE_NAME
    if not file.is_file():
        raise PeopleError(f"{file}: expected the pack's list of contents, found none; copy it into "
                          "the pack again")
    try:
        contents = from_json(Contents, file.read_bytes())
    except ValueError as error:
        raise PeopleError(f"{file}: {error}; the pack is damaged or of another version, pack "
                          "again with 'python -m train pack'") from None
    if contents.format != FORMAT:
        raise PeopleError(f"{file}: expected format {FORMAT}, found {contents.format}; pack again "
                          "with 'python -m train pack'")
    return contents


def choose_people(
    names: tuple[str, ...], choice: str, seed: int, rotation: int = 0
) -> tuple[str, ...]:
    """Who of `names` is left out: so many, drawn by the seed, or those in a file, one a line.

    rotation: 0 leaves out the first so many that are drawn, 1 the next; a fifth of the people in 5
    rotations leaves out everybody once. UsageError for a choice that is neither or names somebody
    unknown, and for a rotation for which nobody is left; PeopleError where fewer than two people
    would be left to train on.
    """
    if choice.isdecimal():
        chosen = _draw(names, int(choice), seed, rotation)
    elif rotation:
        raise UsageError("--rotation goes with a number of people to leave out, found a file")
    else:
        chosen = _read(names, Path(choice))
    if len(names) - len(chosen) < 2:
        raise PeopleError(f"--leave-out-people: expected at least 2 people to train on, found "
                          f"{len(names) - len(chosen)} of {len(names)}; leave out fewer")
    return chosen


def _draw(names: tuple[str, ...], count: int, seed: int, rotation: int) -> tuple[str, ...]:
    last = len(names) // max(count, 1) - 1
    if rotation and not 0 <= rotation <= last:
        raise UsageError(f"--rotation expects a number from 0 to {last}, for {count} of "
                         f"{len(names)} people, found {rotation}")
    drawn = np.random.default_rng([seed, 2]).permutation(names)
    return tuple(sorted(drawn[rotation * count : (rotation + 1) * count].tolist()))


def _read(names: tuple[str, ...], file: Path) -> tuple[str, ...]:
    if not file.exists():
        raise UsageError(f"--leave-out-people expects a number or a text file of names, one a "
                         f"line, found '{file}'")
    lines = read_text(file, "a list of names").split("\n")
    chosen = sorted({clean(line) for line in lines} - {""})
    if unknown := [name for name in chosen if name not in names]:
        raise UsageError(f"{file}: expected people of the data ({', '.join(names[:3])} ...), found "
                         f"{', '.join(unknown[:3])}; correct the names")
    return tuple(chosen)


def without_people(collection: Collection, left_out: Iterable[str]) -> Collection:
    """The collection without some of its people; the digest stays that of the whole folder."""
    gone = set(left_out)
    people = collection.people
    return replace(collection, people=people.without(s for s in people.samples if s.person in gone))
