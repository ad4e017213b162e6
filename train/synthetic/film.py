"""A film with sound of synthetic people who come before a camera one after the other and speak."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import soundfile
from numpy.typing import NDArray

from train.synthetic import draw_person, speaker_of
from train.synthetic.faces import Identity
from train.synthetic.scenes import Array, Look, Picture, camera, room
from train.synthetic.voices import SAMPLE_RATE, speak

SCENE, SOUND = "scene.mp4", "scene.wav"
SIZE = (640, 480)  # pixels, width and height
FRAMES_PER_S = 10
PRESENT_S, EMPTY_S = 6.0, 3.0
_POSES = 8  # drawn of each person and of each empty room, and shown in turn
_FILM = 5  # the last word of a seed: see make_people


def make_film(out: Path, numbers: Sequence[int], seed: int = 0) -> None:
    """Write SCENE and SOUND into the folder `out`.

    numbers: of people as `make_people` counts them from 1, by the same seed; each is there for
    PRESENT_S, in pictures and sentences of their own, after EMPTY_S of an empty room.
    """
    out.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(out / SCENE), cv2.VideoWriter.fourcc(*"mp4v"), FRAMES_PER_S, SIZE)
    behind = room(np.random.default_rng([seed, _FILM]), SIZE[1], SIZE[0])
    heard: list[NDArray[np.float32]] = []
    for number in numbers:
        rng = np.random.default_rng([seed, number, _FILM])
        for picture in [*_nobody(behind, rng), *_somebody(seed, number, behind, rng)]:
            writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        heard += [_silence(rng), _speech(seed, number, rng)]
    writer.release()
    soundfile.write(os.fsencode(out / SOUND), np.concatenate(heard), SAMPLE_RATE, "PCM_16")


def _nobody(behind: Array, rng: np.random.Generator) -> Iterator[Picture]:
    taken = [camera(behind, rng) for _ in range(_POSES)]
    for frame in range(round(EMPTY_S * FRAMES_PER_S)):
        yield taken[frame % _POSES]


def _somebody(
    seed: int, number: int, behind: Array, rng: np.random.Generator
) -> Iterator[Picture]:
    who = Identity.draw(np.random.default_rng([seed, number]))
    first = Look.draw(rng, (SIZE[0] * rng.uniform(0.4, 0.6), SIZE[1] * 0.45), 90.0)
    poses = [camera(draw_person(who, _moved(first, rng), behind, rng), rng) for _ in range(_POSES)]
    for frame in range(round(PRESENT_S * FRAMES_PER_S)):
        yield poses[frame // 2 % _POSES]


def _moved(look: Look, rng: np.random.Generator) -> Look:
    """A little later, while they speak."""
    x, y = look.centre
    return replace(look, centre=(x + rng.normal(0, 2), y + rng.normal(0, 2)),
                   yaw=look.yaw + rng.normal(0, 0.03), pitch=look.pitch + rng.normal(0, 0.02),
                   mouth_open=float(rng.uniform(0, 0.7)))


def _silence(rng: np.random.Generator) -> NDArray[np.float32]:
    return (1e-4 * rng.standard_normal(round(EMPTY_S * SAMPLE_RATE))).astype(np.float32)


def _speech(seed: int, number: int, rng: np.random.Generator) -> NDArray[np.float32]:
    wanted = round(PRESENT_S * SAMPLE_RATE)
    speaker = speaker_of(seed, number)
    said = [speak(speaker, rng)]
    while sum(part.size for part in said) < wanted:
        said.append(speak(speaker, rng))
    return np.concatenate(said)[:wanted]
