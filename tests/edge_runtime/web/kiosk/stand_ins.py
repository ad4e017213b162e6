"""A kiosk in a process of its own, and what it sees and hears: a network camera whose picture, and
a program in the place of `arecord` whose sound, a test changes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge_runtime.signals.detection import Picture
from edge_runtime.signals.voice import SAMPLE_RATE, Sound
from tests.edge_runtime.capture.stand_ins import NetworkCamera, write_program
from train.synthetic import room_picture
from train.synthetic.faces import Identity
from train.synthetic.voices import Speaker, speak

ROOT = Path(__file__).resolve().parents[4]
EMPTY_ROOM = np.full((480, 640, 3), 120, np.uint8)
_COMMAND = "import sys; from edge_runtime.apps.cli import main; sys.exit(main())"

# As arecord -t wav into a pipe: a header without a length, then the sound over and over, at its own
# pace, and anew once the file is another.
_ARECORD = """
from pathlib import Path

file = Path(__file__).with_name("sound.raw")
os.write(1, b"RIFF" + struct.pack("<I", 2**31) + b"WAVEfmt " + struct.pack(
    "<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16) + b"data" + struct.pack("<I", 2**31))
due = time.monotonic()
while True:
    sound, read = file.read_bytes(), file.stat().st_mtime_ns
    for place in range(0, len(sound), 1600):
        os.write(1, sound[place : place + 1600])
        due += 0.05
        time.sleep(max(0.0, due - time.monotonic()))
        if file.stat().st_mtime_ns != read:
            break
"""


@dataclass(frozen=True)
class Person:
    """pictures: whole camera pictures; sounds: clips of speech at 16 kHz."""

    pictures: Sequence[Picture]
    sounds: Sequence[Sound]


def drawn_person(number: int) -> Person:
    """A synthetic one."""
    who = Identity.draw(np.random.default_rng(number))
    speaker = Speaker.draw(np.random.default_rng([number, 1]))
    return Person(
        [room_picture(who, np.random.default_rng([number, take]))[0] for take in range(7)],
        [np.concatenate([speak(speaker, np.random.default_rng([number, take, half]))
                         for half in (3, 4)]) for take in range(3)])


def in_a_room(face: Picture, height: int) -> Picture:
    """A crop of a face as a camera would see it, so many pixels high."""
    width = round(face.shape[1] * height / face.shape[0])
    picture = EMPTY_ROOM.copy()
    picture[90 : 90 + height, 200 : 200 + width] = cv2.resize(
        face, (width, height), interpolation=cv2.INTER_AREA)
    return picture


class Scene:
    """What is before the camera, and what the microphone hears."""

    def __init__(self, folder: Path) -> None:
        self.camera, self._sound = NetworkCamera(EMPTY_ROOM), folder / "sound.raw"
        write_program(folder / "arecord", _ARECORD)
        self.leave()
        self.camera.start()

    def show(self, picture: Picture, sounds: Sequence[Sound] = ()) -> None:
        """Somebody in a picture, who says all of the sounds over and over."""
        self.camera.picture = picture
        faint = np.random.default_rng(0).normal(0, 1e-3, SAMPLE_RATE).astype(np.float32)
        self.hear(np.concatenate(sounds) if len(sounds) else faint)

    def hear(self, sound: npt.NDArray[np.float32]) -> None:
        unfinished = self._sound.with_suffix(".new")
        unfinished.write_bytes((sound * 32_767).astype("<i2").tobytes())
        unfinished.replace(self._sound)

    def leave(self) -> None:
        """The room is empty and quiet."""
        self.show(EMPTY_ROOM)


class Kiosk:
    """`visavox kiosk` as a process; started again, it is at the same address."""

    def __init__(self, folder: Path, bundle: Path, scene: Scene) -> None:
        self.folder, self.gallery, self.key = folder, folder / "gallery.db", folder / "device.key"
        token_file = folder / "token.json"
        self._environment = os.environ | {
            "PYTHONPATH": str(ROOT), "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
        self._arguments = ["--bundle", bundle, "--gallery", self.gallery, "--key", self.key,
                           "--token-file", token_file, "--camera", scene.camera.address,
                           "--microphone", "arecord"]
        self.token = self._begin("--set-token", "--token-file", token_file).communicate()[0].strip()
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        port = self.url.rstrip("/").rpartition(":")[2] or "0"
        self._process = self._begin(*self._arguments, "--port", port)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()  # the kiosk is at http://...; Ctrl+C stops it
        assert " is at http" in line, line
        self.url = line.split()[4].rstrip(";")

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.communicate(timeout=30)
            self._process = None

    def _begin(self, *arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", _COMMAND, "kiosk", *map(str, arguments)],
                                cwd=self.folder, env=self._environment, stdout=subprocess.PIPE,
                                text=True)
