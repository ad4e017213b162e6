"""Reading a folder of people: what is left out, why, and when nothing is left."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.dataset.collection import read_collection
from edge_runtime.dataset.people import Sample, index_people
from edge_runtime.errors import PeopleError
from edge_runtime.signals.face import read_picture, square_face
from edge_runtime.signals.voice import read_clip


@pytest.fixture
def folder(small_people: Path, tmp_path: Path) -> Path:
    """A copy of the small people that a test may spoil."""
    return Path(shutil.copytree(small_people, tmp_path / "people"))


def leave(folder: Path, *gone: str) -> None:
    """Take rows out of split.csv: those that begin with one of `gone`."""
    lines = (folder / "split.csv").read_text().splitlines(keepends=True)
    (folder / "split.csv").write_text("".join(x for x in lines if not x.startswith(gone)))


def add(folder: Path, row: str) -> None:
    with (folder / "split.csv").open("a") as file:
        file.write(row + "\n")


def test_everything_is_read(small_people: Path) -> None:
    people = index_people(small_people)
    seen: list[Sample] = []

    def watch(samples: Iterable[Sample]) -> Iterator[Sample]:
        for sample in samples:
            seen.append(sample)
            yield sample

    found = read_collection(people, 48, progress=watch)
    assert found.problems == [] and found.people == people
    assert seen == list(people.samples)
    assert set(found.faces) | set(found.clips) == set(people.samples)
    assert {(face.shape, face.dtype) for face in found.faces.values()} == {
        ((48, 48, 3), np.dtype(np.uint8))}
    sample = people.of("voice", "test")[0]
    np.testing.assert_array_equal(found.clips[sample], read_clip(small_people / sample.path))


def test_faces_are_those_of_the_device_but_for_training(small_people: Path) -> None:
    """A test face resized twice would be scored otherwise than on the device."""
    people = index_people(small_people)
    found = read_collection(people, 48, train_face_size=54)
    for sample, face in found.faces.items():
        side = 54 if sample.split == "train" else 48
        expected = square_face(read_picture(small_people / sample.path), side)
        np.testing.assert_array_equal(face, expected)


def test_the_digest_is_over_paths_and_contents(folder: Path) -> None:
    people = index_people(folder)
    before = read_collection(people, 32).digest
    assert len(before) == 64
    assert read_collection(people, 48).digest == before
    one, two = people.of("face", "train")[:2]
    contents = (folder / one.path).read_bytes()
    (folder / one.path).write_bytes((folder / two.path).read_bytes())
    (folder / two.path).write_bytes(contents)
    assert read_collection(people, 32).digest != before


def test_unusable_files_are_named_and_left_out(folder: Path) -> None:
    people = index_people(folder)
    (folder / "synthetic_001/face/000.png").write_text("text")
    (folder / "synthetic_002/voice/000.flac").write_bytes(b"")
    (folder / "synthetic_003/face/001.png").unlink()
    found = read_collection(people, 32)
    assert found.problems == [
        f"{folder}/synthetic_001/face/000.png: expected a picture (JPEG, PNG, WebP, "
        "TIFF, BMP, GIF or PPM), found none of these; convert it to JPEG",
        f"{folder}/synthetic_002/voice/000.flac: the file is empty (0 bytes), expected a sound "
        "file",
        f"{folder}/synthetic_003/face/001.png: no such picture file"]
    assert len(found.people.samples) == len(people.samples) - 3
    assert set(found.faces) | set(found.clips) == set(found.people.samples)


def test_what_lies_beside_the_files_is_named_too(folder: Path) -> None:
    (folder / "synthetic_001" / "face" / "IMG_1.heic").touch()
    found = read_collection(index_people(folder), 32)
    assert found.problems == [
        ".heic files among pictures: 1 passed over (synthetic_001/face/IMG_1.heic); convert them, "
        "as with 'heif-convert photo.heic photo.jpg'"]


def test_somebody_whose_files_are_all_passed_over(folder: Path) -> None:
    (folder / "split.csv").unlink()
    for path in (folder / "synthetic_004" / "voice").iterdir():
        path.rename(path.with_suffix(".m4a"))
    found = read_collection(index_people(folder), 32)
    assert found.problems[0] == "synthetic_004: no usable voice to train on, of 4 files; left out"
    assert "synthetic_004" not in found.people.names


def test_the_name_of_a_folder_that_is_not_utf8(folder: Path) -> None:
    odd = folder.with_name(os.fsdecode(b"M\xfcller"))
    folder.rename(odd)
    assert read_collection(index_people(odd), 32).name == "M\\xfcller"


def test_somebody_without_a_voice_is_left_out(folder: Path) -> None:
    leave(folder, "synthetic_004/voice/")
    found = read_collection(index_people(folder), 32)
    assert found.problems == [
        "synthetic_004: no usable voice to train on, of 0 files; left out"]
    assert found.people.names == ("synthetic_001", "synthetic_002", "synthetic_003")
    assert not any(s.person == "synthetic_004" for s in found.people.samples)


def test_somebody_with_unusable_faces_only_is_left_out(folder: Path) -> None:
    for path in (folder / "synthetic_001" / "face").iterdir():
        path.write_text("text")
    found = read_collection(index_people(folder), 32)
    assert found.problems[-1] == (
        "synthetic_001: no usable face to train on, of 6 files; left out")
    assert "synthetic_001" not in found.people.names


def add_twins(folder: Path, first: str, second: str) -> None:
    """Two copies of one picture, first.png and second.png, and a validation row of their own."""
    picture = (folder / "synthetic_001/face/000.png").read_bytes()
    for name, content, split in (("validation", picture + b"other", "validation"),
                                 ("first", picture + b"twin", first),
                                 ("second", picture + b"twin", second)):
        (folder / f"{name}.png").write_bytes(content)
        person = "nobody" if split == "stranger" else "synthetic_001"
        add(folder, f"{name}.png,{person},face,{split}")


@pytest.mark.parametrize(("kept", "dropped"), list(itertools.combinations(
    ("stranger", "test", "validation", "train"), 2)))
@pytest.mark.parametrize("turned", [False, True])
def test_a_file_in_two_splits_stays_in_the_stricter_one(
    folder: Path, kept: str, dropped: str, turned: bool
) -> None:
    add_twins(folder, *((dropped, kept) if turned else (kept, dropped)))
    stays, goes = ("second", "first") if turned else ("first", "second")
    people = index_people(folder)
    found = read_collection(people, 32)
    assert found.problems == [f"{goes}.png ({dropped}): the same file as {stays}.png ({kept}); "
                              f"left out of {dropped}"]
    assert {s.path for s in set(people.samples) - set(found.people.samples)} == {f"{goes}.png"}


def test_a_file_listed_for_two_splits(folder: Path) -> None:
    path = index_people(folder).of("face", "test")[0].path
    add(folder, f"{path},nobody,face,stranger")
    found = read_collection(index_people(folder), 32)
    assert found.problems == [f"{path} (test): the same file as {path} (stranger); left out of "
                              "test"]
    assert [s.split for s in found.people.samples if s.path == path] == ["stranger"]


def test_the_same_file_twice_in_one_split_is_no_leak(folder: Path) -> None:
    add_twins(folder, "train", "train")
    people = index_people(folder)
    found = read_collection(people, 32)
    assert found.problems == [] and found.people == people


def test_one_person_is_not_enough(folder: Path) -> None:
    leave(folder, "synthetic_003", "synthetic_004", "synthetic_002/voice")
    with pytest.raises(PeopleError) as caught:
        read_collection(index_people(folder), 32)
    assert str(caught.value) == (
        f"{folder}: expected at least 2 people with faces and voices, found 1; synthetic_002: no "
        "usable voice to train on, of 0 files; left out (and 2 more problems)")
    leave(folder, "synthetic_002")
    with pytest.raises(PeopleError) as caught:
        read_collection(index_people(folder), 32)
    assert str(caught.value) == (
        f"{folder}: expected at least 2 people with faces and voices, found 1; synthetic_002: "
        "split.csv names none of its files; left out (and 2 more problems)")


def test_more_problems_are_counted(folder: Path) -> None:
    leave(folder, "synthetic_003", "synthetic_004", "synthetic_001/face", "synthetic_002/voice")
    with pytest.raises(PeopleError, match=r"found 0; synthetic_001: no usable face to train on, of "
                                          r"0 files; left out \(and 3 more problems\)$"):
        read_collection(index_people(folder), 32)
