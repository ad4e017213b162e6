"""A fake camera and microphone for Chromium: a Y4M file and a WAV file, played without end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

FPS = 10
WIDTH, HEIGHT = 640, 480
Picture = npt.NDArray[np.uint8]

# BT.601, limited range: what Chromium takes a Y4M file for.
_TO_YUV = np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0],
                    [112.0, -93.786, -18.214]]) / 255
_OFFSET = np.array([16.0, 128.0, 128.0])


def write_camera(path: Path, pictures: Sequence[Picture]) -> None:
    """Pictures, RGB, uint8 [HEIGHT, WIDTH, 3], one after the other."""
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for picture in pictures:
            planes = (picture @ _TO_YUV.T + _OFFSET).transpose(2, 0, 1)
            halves = planes[1:].reshape(2, HEIGHT // 2, 2, WIDTH // 2, 2).mean(axis=(2, 4))
            file.write(b"FRAME\n")
            for plane in (planes[0], *halves):
                file.write(np.clip(np.rint(plane), 0, 255).astype(np.uint8).tobytes())


def write_microphone(path: Path, sound: npt.NDArray[Any]) -> None:
    """Mono sound at 16 kHz."""
    soundfile.write(path, sound, 16_000, "PCM_16")


def chromium_arguments(camera: Path | None, microphone: Path | None) -> list[str]:
    """For a browser that has these devices, and asks nobody whether a page may use them."""
    arguments = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    if camera:
        arguments.append(f"--use-file-for-fake-video-capture={camera}")
    if microphone:
        arguments.append(f"--use-file-for-fake-audio-capture={microphone}")
    return arguments


def before_a_wall(face: Picture, side: int = 260) -> Picture:
    """A crop of a face in the middle of a plain picture, in the colour of its own corner."""
    import cv2

    wall = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    wall[:] = np.median(face[:6].reshape(-1, 3), axis=0)
    height = round(side * face.shape[0] / face.shape[1])
    top, left = (HEIGHT - height) // 2, (WIDTH - side) // 2
    wall[top : top + height, left : left + side] = cv2.resize(
        face, (side, height), interpolation=cv2.INTER_CUBIC)
    return wall


def scenes(number: int, count: int) -> list[Picture]:
    """A room with the synthetic person of that number (see train.synthetic.make_people), near
    enough, `count` times otherwise: RGB, uint8 [HEIGHT, WIDTH, 3]."""
    from train.synthetic import room_picture
    from train.synthetic.faces import Identity

    who = Identity.draw(np.random.default_rng([0, number]))
    rng = np.random.default_rng([7, number])
    found: list[Picture] = []
    while len(found) < count:
        picture, (_, _, _, height) = room_picture(who, rng, HEIGHT, WIDTH)
        if height > 150:
            found.append(picture)
    return found


def side_by_side(*numbers: int) -> Picture:
    """Synthetic people in one picture, RGB, uint8 [HEIGHT, WIDTH, 3], each before a wall."""
    from train.synthetic import room_picture
    from train.synthetic.faces import Identity

    width = WIDTH // len(numbers)
    parts: list[Picture] = []
    for number in numbers:
        who = Identity.draw(np.random.default_rng([0, number]))
        rng = np.random.default_rng([7, number])
        while True:
            picture, (left, _, across, height) = room_picture(who, rng, HEIGHT, WIDTH)
            begin = left + (across - width) // 2
            if height > 150 and 0 <= begin <= WIDTH - width:
                break
        parts.append(picture[:, begin : begin + width])
    return np.concatenate(parts, axis=1)


class Person:
    """A synthetic person's scenes and voice as files for a browser."""

    def __init__(self, folder: Path, people: Path, number: int) -> None:
        self.scenes = scenes(number, 6)
        clips = sorted((people / f"synthetic_{number:03}" / "voice").iterdir())
        self.sound = np.concatenate([soundfile.read(clip, dtype="float32")[0] for clip in clips])
        self.camera, self.microphone = folder / f"{number}.y4m", folder / f"{number}.wav"
        write_camera(self.camera, [scene for scene in self.scenes for _ in range(5)])
        write_microphone(self.microphone, self.sound)

    @property
    def devices(self) -> dict[str, Path]:
        return {"camera": self.camera, "microphone": self.microphone}
