"""Who is there and which file is for what: split.csv, drawn splits, pairs."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.dataset.people import People, Sample, all_combinations, index_people, test_pairs
from edge_runtime.errors import PeopleError
from edge_runtime.modalities import MODALITIES

HEADER = "path,person,modality,split\n"


def make_tree(root: Path, files: dict[str, tuple[int, int]]) -> Path:
    """Empty files: person -> how many faces and clips."""
    for person, counts in files.items():
        for modality, count, ending in zip(MODALITIES, counts, ("jpg", "wav"), strict=True):
            folder = root / person / modality
            folder.mkdir(parents=True)
            for i in range(count):
                (folder / f"{i:03}.{ending}").touch()
    return root


def splits_of(people: People) -> dict[str, str]:
    return {sample.path: sample.split for sample in people.samples}


def counts(people: People, person: str) -> Counter[tuple[str, str]]:
    return Counter((s.modality, s.split) for s in people.samples if s.person == person)


def refusal(root: Path) -> str:
    with pytest.raises(PeopleError) as caught:
        index_people(root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_or_empty_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere") == (f"{tmp_path / 'nowhere'}: expected a folder of "
                                             "people, found none; see README, 'Your own people'")
    (tmp_path / "anna").mkdir()
    (tmp_path / "notes.txt").touch()
    assert refusal(tmp_path) == (f"{tmp_path}: expected <person>/face/* and <person>/voice/*, "
                                 "found no such files; see README, 'Your own people'; anna: no "
                                 "picture in face/ and no clip in voice/; left out")


def test_only_pictures_and_sounds_count(tmp_path: Path) -> None:
    make_tree(tmp_path, {"anna": (3, 3)})
    for name in ("face/notes.txt", "face/sound.wav", "voice/picture.jpg", "voice/.DS_Store",
                 "photo.jpg"):
        (tmp_path / "anna" / name).touch()
    (tmp_path / "anna" / "face" / "LOUD.JPG").touch()
    people = index_people(tmp_path)
    assert counts(people, "anna").total() == 7
    assert {Path(sample.path).suffix for sample in people.samples} == {".jpg", ".JPG", ".wav"}
    assert all(s.path == f"anna/{s.modality}/{Path(s.path).name}" for s in people.samples)


def test_folders_in_another_case(tmp_path: Path) -> None:
    make_tree(tmp_path, {"anna": (3, 3), "bob": (2, 2)})
    (tmp_path / "anna" / "face").rename(tmp_path / "anna" / "Face")
    (tmp_path / "bob" / "voice").rename(tmp_path / "bob" / "VOICE")
    people = index_people(tmp_path)
    assert counts(people, "anna").total() == 6 and counts(people, "bob").total() == 4
    assert people.problems == []
    assert all((tmp_path / sample.path).is_file() for sample in people.samples)


def test_what_is_passed_over_is_named(tmp_path: Path) -> None:
    make_tree(tmp_path, {"anna": (2, 2), "bob": (0, 2), "dora": (0, 0)})
    (tmp_path / "film.mov").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".DS_Store").touch()
    for path in ("anna/face/Thumbs.db", "anna/face/._000.jpg", "anna/face/.old.jpg",
                 "bob/face/IMG_1.HEIC", "bob/face/IMG_2.heic", "dora/1.jpg"):
        (tmp_path / path).touch()
    (tmp_path / "anna" / "faces").mkdir()
    (tmp_path / "anna" / "voice" / "old").mkdir()
    (tmp_path / "anna" / "face" / "gone.jpg").symlink_to("nowhere.jpg")
    people = index_people(tmp_path)
    assert counts(people, "anna").total() == 4
    assert people.problems == [
        "dora: no picture in face/ and no clip in voice/; left out",
        "hidden files and folders: 1 passed over (anna/face/.old.jpg); rename them, without a dot "
        "in front",
        "links to what is not there: 1 passed over (anna/face/gone.jpg); copy the files themselves",
        "folders beside face/ and voice/: 1 passed over (anna/faces); rename them, or take them "
        "out",
        "folders among the files: 1 passed over (anna/voice/old); move their files one level up",
        ".heic files among pictures: 2 passed over (bob/face/IMG_1.HEIC, bob/face/IMG_2.heic); "
        "convert them, as with 'heif-convert photo.heic photo.jpg'",
        "files beside face/ and voice/: 1 passed over (dora/1.jpg); put pictures into face/ and "
        "clips into voice/",
        "files beside the people's folders: 1 passed over (film.mov); put them into "
        "<person>/face and <person>/voice"]


def test_folders_that_a_split_does_not_name(tmp_path: Path) -> None:
    make_tree(tmp_path, {"a": (1, 1), "b": (1, 1)})
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "1.jpg").touch()
    (tmp_path / "2.jpg").touch()
    rows = ["a/face/000.jpg,a,face,train\n", "odd/1.jpg,a,face,train\n", "2.jpg,a,face,train\n"]
    assert index_people(write_split(tmp_path, HEADER + "".join(rows))).problems == [
        "b: split.csv names none of its files; left out"]


def test_whole_pictures_of_synthetic_people_are_no_problem(tmp_path: Path) -> None:
    make_tree(tmp_path, {"a": (1, 1)})
    (tmp_path / "a" / "scene").mkdir()
    assert index_people(tmp_path).problems == []


def test_names_and_files_that_are_not_utf8(tmp_path: Path) -> None:
    make_tree(tmp_path, {"anna": (2, 2), os.fsdecode(b"M\xfcller"): (1, 1), "unknown": (1, 1)})
    (tmp_path / "anna" / "face" / os.fsdecode(b"M\xfcller.jpg")).touch()
    people = index_people(tmp_path)
    assert people.names == ("anna",) and counts(people, "anna").total() == 4
    assert people.problems == [
        "unknown: expected a person's name, found 'unknown', which stands for nobody, here or in "
        "Home Assistant; choose another one; left out",
        "names that are not UTF-8: 2 passed over (M\\xfcller, anna/face/M\\xfcller.jpg); rename "
        "them, as with 'convmv -f latin1 -t utf8'"]


@pytest.mark.parametrize("names", [("Zoe\u0308", "Zoë"), ("Zoë", " Zoë"), ("An na", "An  na")])
def test_one_person_written_in_two_ways(tmp_path: Path, names: tuple[str, str]) -> None:
    make_tree(tmp_path, {names[0]: (3, 0), names[1]: (0, 3)})
    found = index_people(tmp_path)
    assert len(found.names) == 1 and counts(found, found.names[0]).total() == 6
    assert found.problems == []
    rows = "".join(f"{i}.jpg,{name},face,train\n" for i, name in enumerate(names))
    assert index_people(write_split(tmp_path, HEADER + rows)).names == found.names


@pytest.mark.parametrize("other", ["ANNA", "\u0410nna", "An\u200dna", "\uff21nna"])
def test_two_people_who_look_like_one(tmp_path: Path, other: str) -> None:
    make_tree(tmp_path, {"Anna": (3, 3), other: (3, 3)})
    assert "look like one name; give one person one name" in refusal(tmp_path)
    write_split(tmp_path, HEADER + f"1.jpg,Anna,face,train\n2.jpg,{other},face,stranger\n")
    assert "look like one name" in refusal(tmp_path)


def test_a_drawn_split_gives_every_person_some_of_each(tmp_path: Path) -> None:
    people = index_people(make_tree(tmp_path, {"anna": (20, 8), "bob": (2, 1), "cleo": (3, 4)}))
    assert people.names == ("anna", "bob", "cleo")
    assert counts(people, "anna") == {
        ("face", "test"): 5, ("face", "validation"): 2, ("face", "train"): 13,
        ("voice", "test"): 2, ("voice", "validation"): 1, ("voice", "train"): 5}
    # Somebody with next to nothing keeps a file to train on.
    assert counts(people, "bob") == {("face", "test"): 1, ("face", "train"): 1,
                                     ("voice", "train"): 1}
    assert people.samples == tuple(
        sorted(people.samples, key=lambda s: (s.person, s.modality, s.path)))


def test_the_seed_draws_the_split(tmp_path: Path) -> None:
    make_tree(tmp_path, {"anna": (20, 20), "bob": (20, 20)})
    assert index_people(tmp_path) == index_people(tmp_path)
    assert splits_of(index_people(tmp_path, seed=1)) != splits_of(index_people(tmp_path))
    split = splits_of(index_people(tmp_path))
    numbers = [{Path(p).stem for p, s in split.items() if s == "test" and p.startswith(start)}
               for start in ("anna/face", "anna/voice", "bob/face", "bob/voice")]
    assert len({frozenset(group) for group in numbers}) == 4


def test_adding_a_person_leaves_the_others_alone(tmp_path: Path) -> None:
    make_tree(tmp_path, {"bob": (12, 9), "cleo": (7, 7)})
    before = splits_of(index_people(tmp_path))
    make_tree(tmp_path, {"anna": (9, 9), "dora": (5, 5)})
    assert before.items() <= splits_of(index_people(tmp_path)).items()


@given(st.integers(1, 60), st.integers(0, 100))
def test_shares(count: int, seed: int) -> None:
    from edge_runtime.dataset.people import _move

    train = [Sample(f"a/face/{i:03}.jpg", "a", "face", "train") for i in range(count)]
    moved = _move(train, "test", 0.25, seed)
    assert [s.path for s in moved] == [s.path for s in train]
    tests = sum(s.split == "test" for s in moved)
    assert tests == (0 if count < 2 else max(1, round(0.25 * count)))


def write_split(root: Path, rows: str, encoding: str = "utf-8") -> Path:
    (root / "split.csv").write_text(rows, encoding=encoding, newline="")
    return root


def test_a_split_is_taken_as_written(tmp_path: Path) -> None:
    rows = ("split,path,modality,person\r\n"
            "train,a/face/1.jpg,face,Anna\r\nvalidation,a/face/2.jpg,face,Anna\r\n"
            "\r\nvalidation,\"a/voice/1, loud.wav\",voice,Anna\r\n"
            "stranger,z/face/1.jpg,face,Żoë\r\n")
    people = index_people(write_split(tmp_path, rows, encoding="utf-8-sig"))
    assert people.names == ("Anna",)
    assert people.samples == (
        Sample("a/face/1.jpg", "Anna", "face", "train"),
        Sample("a/face/2.jpg", "Anna", "face", "validation"),
        Sample("a/voice/1, loud.wav", "Anna", "voice", "validation"),
        Sample("z/face/1.jpg", "Żoë", "face", "stranger"))
    assert people.of("face", "train") == people.samples[:1]
    assert people.without(people.samples[:1]).samples == people.samples[1:]


def test_validation_is_drawn_only_where_there_is_none(tmp_path: Path) -> None:
    rows = [f"a/face/{i:02}.jpg,a,face,train\n" for i in range(20)]
    rows += [f"a/voice/{i:02}.wav,a,voice,train\n" for i in range(3)]
    rows += ["a/face/30.jpg,a,face,test\n", "z/face/0.jpg,z,face,stranger\n"]
    drawn = index_people(write_split(tmp_path, HEADER + "".join(rows)))
    assert counts(drawn, "a") == {
        ("face", "train"): 17, ("face", "validation"): 3, ("face", "test"): 1,
        ("voice", "train"): 2, ("voice", "validation"): 1}
    assert counts(drawn, "z") == {("face", "stranger"): 1}
    write_split(tmp_path, HEADER + "".join(rows[::-1]))
    assert index_people(tmp_path) == drawn  # the order of the rows does not matter
    rows += ["a/face/31.jpg,a,face,validation\n"]
    given = index_people(write_split(tmp_path, HEADER + "".join(rows)))
    assert len(given.of("face", "validation")) == 1
    assert len(given.of("face", "train")) == 20


@pytest.mark.parametrize(("rows", "message"), [
    ("", ": expected the columns path,person,modality,split, found nothing"),
    ("path,person\na,b\n", ": expected the columns path,person,modality,split, found path,person"),
    ("a/1.jpg,a,face,train\n",
     ": expected the columns path,person,modality,split, found a/1.jpg,a,face,train"),
    (HEADER + "1.jpg,a,face,train\n2.jpg,a,face\n", ", line 3: expected 4 filled columns"),
    (HEADER + "1.jpg,a,face,train,more\n", ", line 2: expected 4 filled columns"),
    (HEADER + "\n\n,a,face,train\n", ", line 4: expected 4 filled columns"),
    (HEADER + "1.jpg,,face,train\n", ", line 2: expected 4 filled columns"),
    (HEADER + "1.jpg,a,nose,train\n", ", line 2: expected a modality of face, voice and a split "
     "of train, validation, test, stranger, found 'nose' and 'train'"),
    (HEADER + "1.jpg,a,face,Train\n", ", line 2: expected a modality of face, voice and a split "
     "of train, validation, test, stranger, found 'face' and 'Train'"),
    (HEADER + "1.jpg,none,face,train\n", ", line 2: expected a person's name, found 'none', which "
     "stands for nobody, here or in Home Assistant; choose another one"),
    (HEADER + "1.jpg,a\u202eb,face,train\n", ", line 2: expected a name without control characters "
     "or others that cannot be seen, found '\\u202e' in 'a\\u202eb'; choose another one"),
    (HEADER + "/etc/1.jpg,a,face,train\n",
     ", line 2: expected a path inside the folder, found '/etc/1.jpg'"),
    (HEADER + "a/../../1.jpg,a,face,train\n",
     ", line 2: expected a path inside the folder, found 'a/../../1.jpg'"),
])
def test_a_malformed_split_names_the_line(tmp_path: Path, rows: str, message: str) -> None:
    assert refusal(write_split(tmp_path, rows)) == f"{tmp_path / 'split.csv'}{message}"


@pytest.mark.parametrize(("separator", "encoding"), [
    (";", "utf-8-sig"), ("\t", "utf-16"), (",", "utf-16")])
def test_a_split_as_spreadsheets_write_it(
    tmp_path: Path, separator: str, encoding: str
) -> None:
    rows = HEADER + "1.jpg,Zoë,face,train\n2.jpg,Zoë,face,test\n"
    write_split(tmp_path, rows.replace(",", separator).replace("\n", "\r\n"), encoding)
    assert index_people(tmp_path).names == ("Zoë",)


def test_a_split_in_another_encoding(tmp_path: Path) -> None:
    write_split(tmp_path, HEADER + "1.jpg,Zoë,face,train\n", encoding="latin-1")
    assert refusal(tmp_path).startswith(
        f"{tmp_path / 'split.csv'}: expected a CSV file in UTF-8, found ")


def people_of(*groups: tuple[str, int, int]) -> People:
    samples = [Sample(f"{name}/{modality}/{i}", name, modality, "test")
               for name, *counts in groups
               for modality, count in zip(MODALITIES, counts, strict=True) for i in range(count)]
    return People(Path(), tuple(samples))


def test_pairs_go_in_order_and_repeat_clips() -> None:
    pairs = test_pairs(people_of(("a", 5, 2), ("b", 1, 3), ("c", 2, 0), ("d", 0, 2)))
    assert [(face.path, clip.path) for face, clip in pairs] == [
        ("a/face/0", "a/voice/0"), ("a/face/1", "a/voice/1"), ("a/face/2", "a/voice/0"),
        ("a/face/3", "a/voice/1"), ("a/face/4", "a/voice/0"), ("b/face/0", "b/voice/0")]


def test_combinations_are_all_of_one_person() -> None:
    people = people_of(("a", 2, 3), ("b", 2, 1), ("c", 2, 0))
    expected = [(face, clip) for face, clip in itertools.product(people.samples, repeat=2)
                if (face.modality, clip.modality) == ("face", "voice")
                and face.person == clip.person]
    assert all_combinations(people) == expected
    assert len(expected) == 8
    assert all_combinations(people, "validation") == test_pairs(people, "train") == []


@pytest.mark.data
@pytest.mark.parametrize(("name", "people", "pairs", "combinations"), [
    ("people30", 30, 90, 360), ("kiosk95", 95, 581, 2_905), ("wild95", 95, 950, 4_750)])
def test_the_real_people_are_counted(
    data_root: Path, name: str, people: int, pairs: int, combinations: int
) -> None:
    found = index_people(data_root / name)
    assert len(found.names) == people
    assert len(test_pairs(found)) == pairs
    assert len(all_combinations(found)) == combinations
    train = {(s.person, s.modality) for s in found.samples if s.split == "train"}
    assert train == {(s.person, s.modality) for s in found.samples if s.split == "validation"}
    assert all((data_root / name / s.path).is_file() for s in found.samples)
