"""Synthetic people: the same by seed, well formed, and told apart by more than a trifle."""

from __future__ import annotations

import csv
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from PIL import Image

from edge_runtime.errors import PeopleError
from train.synthetic import make_people, room_picture
from train.synthetic.faces import Identity

cv2 = pytest.importorskip("cv2")

PEOPLE, FACES, CLIPS = 10, 12, 8
Features = NDArray[Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("synthetic") / "people"
    make_people(out, PEOPLE, faces_per_person=FACES, clips_per_person=CLIPS)
    return out


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "split.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def picture(path: Path) -> Features:
    return np.asarray(Image.open(path), np.float32)


def small_grey(path: Path) -> Features:
    grey = cv2.resize(picture(path).mean(2), (24, 24), interpolation=cv2.INTER_AREA)[3:-3, 4:-4]
    return np.ravel((grey - grey.mean()) / grey.std())


def border_colour(path: Path) -> Features:
    image = picture(path)
    edges = [image[0], image[-1], image[:, 0], image[:, -1]]
    return np.asarray(np.concatenate(edges).mean(0))


def long_term_spectrum(path: Path) -> Features:
    samples, _ = soundfile.read(path)
    frames = np.lib.stride_tricks.sliding_window_view(samples, 400)[::160] * np.hanning(400)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    loud = power[power.sum(1) > np.median(power.sum(1))]
    edges = np.unique(np.geomspace(2, 200, 33).astype(int))
    bands = np.stack([loud[:, a:b].sum(1) for a, b in pairwise(edges)], 1)
    mean = np.log(bands + 1e-9).mean(0)
    return np.asarray(mean - mean.mean())


def loudness(path: Path) -> Features:
    return np.array([np.log(soundfile.read(path)[0].std())])


def nearest_mean_accuracy(
    folder: Path, modality: str, feature: Callable[[Path], Features]
) -> float:
    """The share of test files whose nearest mean of training features is their person's."""
    train: dict[str, list[Features]] = {}
    test: list[tuple[str, Features]] = []
    for row in rows(folder):
        if row["modality"] == modality:
            value = feature(folder / row["path"])
            if row["split"] == "train":
                train.setdefault(row["person"], []).append(value)
            else:
                test.append((row["person"], value))
    means = {person: np.mean(values, 0) for person, values in train.items()}
    hits = [
        person == min(means, key=lambda name: float(np.linalg.norm(means[name] - value)))
        for person, value in test
    ]
    return float(np.mean(hits))


def test_layout_and_split(folder: Path) -> None:
    people = [f"synthetic_{number:03}" for number in range(1, PEOPLE + 1)]
    expected = {"split.csv", "README.txt"}
    for person in people:
        expected |= {f"{person}/face/{n:03}.png" for n in range(FACES)}
        expected |= {f"{person}/voice/{n:03}.flac" for n in range(CLIPS)}
    assert set(contents(folder)) == expected
    listed = rows(folder)
    assert list(listed[0]) == ["path", "person", "modality", "split"]
    assert {row["path"] for row in listed} == expected - {"split.csv", "README.txt"}
    for person in people:
        for modality, tests in (("face", 4), ("voice", 2)):
            splits = [
                row["split"]
                for row in sorted(listed, key=lambda row: row["path"])
                if (row["person"], row["modality"]) == (person, modality)
            ]
            assert splits == ["train"] * (len(splits) - tests) + ["test"] * tests
    readme = (folder / "README.txt").read_text(encoding="utf-8")
    assert 'marked "synthetic"' in readme and "seed 0, 10 people" in readme


def test_faces_are_square_rgb_pictures(folder: Path) -> None:
    for path in folder.glob("*/face/*.png"):
        image = Image.open(path)
        assert (image.size, image.mode) == ((144, 144), "RGB")
        assert np.asarray(image).std() > 10


def test_clips_are_heard_and_not_clipped(folder: Path) -> None:
    for path in folder.glob("*/voice/*.flac"):
        samples, rate = soundfile.read(path)
        assert (rate, samples.ndim) == (16_000, 1)
        assert 2.0 <= len(samples) / rate <= 4.0
        assert samples.std() > 0.01
        assert np.abs(samples).max() < 0.95
        # Pauses of 50 ms at least hold nothing but the floor.
        assert samples[:640].std() < 0.2 * samples.std()


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    few = {"faces_per_person": 2, "clips_per_person": 2, "image_size": 64}
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        make_people(tmp_path / name, 2, seed=seed, scenes=True, **few)
    one, again, other = (contents(tmp_path / name) for name in ("one", "again", "other"))
    assert one == again
    assert set(one) == set(other)
    assert all(one[path] != other[path] for path in one if path != "split.csv")
    scene = Image.open(tmp_path / "one/synthetic_001/scene/003.jpg")
    assert (scene.size, scene.mode) == ((640, 480), "RGB")
    assert not any("scene" in row["path"] for row in rows(tmp_path / "one"))


def test_more_of_everything_keeps_the_earlier_files(tmp_path: Path) -> None:
    make_people(tmp_path / "few", 2, faces_per_person=2, clips_per_person=2, image_size=64)
    make_people(tmp_path / "more", 3, faces_per_person=3, clips_per_person=3, image_size=64)
    few, more = contents(tmp_path / "few"), contents(tmp_path / "more")
    assert all(few[path] == more[path] for path in few if path.startswith("synthetic_"))


def test_haar_cascade_finds_the_faces_of_scenes() -> None:
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    found = []
    for number in range(24):
        who = Identity.draw(np.random.default_rng([0, number]))
        image, (x, y, width, height) = room_picture(who, np.random.default_rng([7, number]))
        assert image.shape == (480, 640, 3) and image.dtype == np.uint8
        assert 90 <= height <= 200
        boxes = cascade.detectMultiScale(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), 1.1, 4)
        middle = np.array([x + width / 2, y + height / 2])
        found.append(
            any(
                np.abs(np.array([a + w / 2, b + h / 2]) - middle).max() < height / 4
                and 0.4 * height < h < 1.2 * height
                for a, b, w, h in boxes
            )
        )
    assert np.mean(found) >= 0.9


def test_people_are_told_apart(folder: Path) -> None:
    assert nearest_mean_accuracy(folder, "face", small_grey) >= 0.5
    assert nearest_mean_accuracy(folder, "voice", long_term_spectrum) >= 0.5


def test_trifles_do_not_give_people_away(folder: Path) -> None:
    assert nearest_mean_accuracy(folder, "face", border_colour) <= 0.4
    assert nearest_mean_accuracy(folder, "voice", loudness) <= 0.4


@pytest.mark.parametrize(
    ("number", "options", "message"),
    [
        (1, {}, "num_people must be 2 or more, found 1"),
        (3, {"seed": -1}, "seed must be 0 or more, found -1"),
        (3, {"image_size": 8}, "image_size must be 32 or more, found 8"),
        (3, {"faces_per_person": 1}, "faces_per_person must be 2 or more, found 1"),
        (3, {"clips_per_person": 0}, "clips_per_person must be 2 or more, found 0"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(
    tmp_path: Path, number: int, options: dict[str, int], message: str
) -> None:
    with pytest.raises(PeopleError, match=message):
        make_people(tmp_path / "out", number, **options)  # type: ignore[arg-type]
    assert not any(tmp_path.iterdir())


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(PeopleError, match=r"expected a new or empty folder .*found .*give another"):
        make_people(tmp_path, 2)
    with pytest.raises(PeopleError, match="expected a new or empty folder"):
        make_people(tmp_path / "mine.txt", 2)
    assert contents(tmp_path) == {"mine.txt": b"keep"}


def test_nothing_is_left_when_the_work_breaks_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("train.synthetic.soundfile.write", full_disk)
    with pytest.raises(OSError, match="no space"):
        make_people(tmp_path / "out", 2, faces_per_person=2, image_size=32)
    assert not any(tmp_path.iterdir())
