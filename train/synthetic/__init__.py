"""Synthetic people: drawn faces and synthesised voices, so that everything runs without real data.

Nothing here comes from a real person. Figures measured on these people must be marked synthetic.
"""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from edge_runtime.console.output import with_progress
from edge_runtime.errors import PeopleError
from train.synthetic.faces import Identity, draw_head
from train.synthetic.scenes import Array, Look, Pen, Picture, background, camera, room
from train.synthetic.voices import SAMPLE_RATE, Speaker, speak

__all__ = ["draw_person", "face_picture", "make_people", "room_picture", "speaker_of"]

_SCENES_PER_PERSON = 4
_TEST_SHARE = 0.3
# The last word of a picture's or a clip's seed, after the run's seed and the person's number.
# Never 0: numpy pads short seeds with zeros, so that [1, 2, 0] would be [1, 2].
_VOICE, _FACE_TAKES, _VOICE_TAKES, _SCENE_TAKES = 1, 2, 3, 4
_README = """\
These people do not exist: every face is drawn and every voice synthesised by train/synthetic.
Figures measured on them say nothing about real people and must be marked "synthetic".

seed {seed}, {num_people} people, {faces_per_person} faces of {image_size} x {image_size} pixels and
{clips_per_person} clips of 16 kHz mono sound each, scenes: {scenes}
Made again by make_people with the same arguments.
"""


def make_people(
    out: Path,
    num_people: int,
    *,
    seed: int = 0,
    faces_per_person: int = 24,
    clips_per_person: int = 12,
    image_size: int = 144,
    scenes: bool = False,
) -> None:
    """Write synthetic people to out, which appears only when it is complete.

    `<person>/face/*.png` (RGB, image_size square), `<person>/voice/*.flac` (16 kHz mono, 2 to
    4 s), `<person>/scene/*.jpg` (640 x 480), `split.csv` (the last 30 % are test), `README.txt`.
    Same arguments, same bytes; more people, faces or clips leave the earlier ones as they are.

    Raises `PeopleError` for an out that is not empty and for numbers that are too small.
    """
    out = out.absolute()
    counts = {"faces_per_person": faces_per_person, "clips_per_person": clips_per_person}
    _check(out, num_people, seed, image_size, counts)
    unfinished = out.parent / f".{out.name}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    rows: list[tuple[str, str, str, str]] = []
    try:
        for number in with_progress(range(1, num_people + 1), "drawing people"):
            folder = unfinished / f"synthetic_{number:03}"
            _write_faces(folder / "face", [seed, number], faces_per_person, image_size)
            _write_clips(folder / "voice", [seed, number], clips_per_person)
            if scenes:
                _write_scenes(folder / "scene", [seed, number])
            rows += _split_rows(folder)
        facts = {"seed": seed, "num_people": num_people, "image_size": image_size}
        _write_index(unfinished, rows, _README.format(**facts, **counts, scenes=scenes))
        if out.exists():  # empty, as checked; a rename onto a folder fails on Windows
            out.rmdir()
        unfinished.rename(out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def face_picture(who: Identity, rng: np.random.Generator, size: int = 144) -> Picture:
    """Take a face crop as a detector would cut it: RGB uint8 [size, size, 3]."""
    x, y = size * (np.array([0.5, 0.47]) + rng.normal(0, 0.02, 2))
    look = Look.draw(rng, (x, y), size / rng.uniform(1.9, 2.3))
    return camera(draw_person(who, look, background(rng, size, size), rng), rng)


def room_picture(
    who: Identity, rng: np.random.Generator, height: int = 480, width: int = 640
) -> tuple[Picture, tuple[int, int, int, int]]:
    """Take a picture of a room: RGB uint8 [h, w, 3], and the head's x, y, width and height."""
    scale = rng.uniform(45, 100)  # heads are 90 to 200 pixels high
    x = rng.uniform(1.1 * scale, width - 1.1 * scale)
    y = rng.uniform(1.3 * scale, height - 1.3 * scale)
    look = Look.draw(rng, (x, y), scale)
    picture = camera(draw_person(who, look, room(rng, height, width), rng), rng)
    left, top = round(x - 0.75 * scale), round(y - scale)
    return picture, (left, top, round(1.5 * scale), round(2 * scale))


def draw_person(who: Identity, look: Look, behind: Array, rng: np.random.Generator) -> Array:
    """Somebody before a background [h, w, 3], as `camera` takes it."""
    pen = Pen(look, (behind.shape[0], behind.shape[1]), rng)
    draw_head(who, pen)
    pen.shade()
    return pen.over(behind)


def speaker_of(seed: int, number: int) -> Speaker:
    """The voice of the person whom make_people counts so, from 1."""
    return Speaker.draw(np.random.default_rng([seed, number, _VOICE]))


def _check(out: Path, num_people: int, seed: int, image_size: int, counts: dict[str, int]) -> None:
    limits = {"num_people": (num_people, 2), "seed": (seed, 0), "image_size": (image_size, 32)}
    for name, (found, least) in (limits | {k: (v, 2) for k, v in counts.items()}).items():
        if found < least:
            raise PeopleError(f"{name} must be {least} or more, found {found}: give a larger one")
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise PeopleError(
            f"expected a new or empty folder for synthetic people, found {out} with something in"
            " it: give another folder, or remove it first"
        )


def _write_faces(folder: Path, seed: list[int], count: int, size: int) -> None:
    folder.mkdir(parents=True)
    who = Identity.draw(np.random.default_rng(seed))
    for take in range(count):
        rng = np.random.default_rng([*seed, take, _FACE_TAKES])
        Image.fromarray(face_picture(who, rng, size)).save(folder / f"{take:03}.png")


def _write_scenes(folder: Path, seed: list[int]) -> None:
    folder.mkdir(parents=True)
    who = Identity.draw(np.random.default_rng(seed))
    for take in range(_SCENES_PER_PERSON):
        rng = np.random.default_rng([*seed, take, _SCENE_TAKES])
        picture, _ = room_picture(who, rng)
        Image.fromarray(picture).save(folder / f"{take:03}.jpg", quality=92)


def _write_clips(folder: Path, seed: list[int], count: int) -> None:
    folder.mkdir(parents=True)
    speaker = speaker_of(*seed)
    for take in range(count):
        rng = np.random.default_rng([*seed, take, _VOICE_TAKES])
        file = os.fsencode(folder / f"{take:03}.flac")  # soundfile takes other names in UTF-8 only
        soundfile.write(file, speak(speaker, rng), SAMPLE_RATE, "PCM_16")


def _split_rows(folder: Path) -> list[tuple[str, str, str, str]]:
    rows = []
    for modality in ("face", "voice"):
        paths = sorted((folder / modality).iterdir())
        first_test = len(paths) - max(round(_TEST_SHARE * len(paths)), 1)
        for index, path in enumerate(paths):
            name = path.relative_to(folder.parent).as_posix()
            rows.append((name, folder.name, modality, "train" if index < first_test else "test"))
    return rows


def _write_index(folder: Path, rows: list[tuple[str, str, str, str]], readme: str) -> None:
    (folder / "README.txt").write_text(readme, encoding="utf-8")
    with (folder / "split.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("path", "person", "modality", "split"), *rows])
