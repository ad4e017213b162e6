"""One way to enroll after the other, of the same pictures, into the gallery of a kiosk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from edge_runtime.apps.kiosk.service import Service
from edge_runtime.capture.camera import Frame
from edge_runtime.decision.identify import Identifier
from edge_runtime.enrolment.files import read_samples
from edge_runtime.enrolment.live import FACE_EVERY_S, LiveEnrolment
from edge_runtime.enrolment.rules import RULES
from edge_runtime.errors import GalleryError
from edge_runtime.gallery.samples import NewSample
from edge_runtime.signals.detection import HaarDetector, Picture, face_crop
from tests.edge_runtime.apps.kiosk.stand_ins import EMPTY_ROOM, Scene, room, wait_until

Change = Callable[[list[NewSample]], list[NewSample]]


PICTURES: Mapping[str, Picture] = {
    "no_face": EMPTY_ROOM, "several_faces": np.concatenate([room(1), room(5)], axis=1),
    "face_too_dark": (room(1) * 0.3).astype(np.uint8),
    "face_too_bright": np.clip(room(1).astype(int) * 3, 0, 255).astype(np.uint8)}
"""What a camera may see, by the word for which it is refused."""


@dataclass
class Ways:
    """Enrolls somebody from whole pictures; raises GalleryError where they are refused. change:
    what becomes of the samples before they reach the gallery."""

    service: Service
    scene: Scene
    folder: Path

    @property
    def identifier(self) -> Identifier:
        return self.service.station.identifier

    def files(self, name: str, pictures: Sequence[Picture], change: Change = list) -> None:
        files, detector = [], HaarDetector()
        for number, picture in enumerate(pictures):
            files.append(self.folder / f"{number}.png")
            boxes = detector.detect(picture)
            Image.fromarray(face_crop(picture, boxes[0])).save(files[-1])
        samples = read_samples(self.identifier, files)
        self.service.station.enrolled.enroll(name, change(samples))

    def live(self, name: str, pictures: Sequence[Picture], change: Change = list) -> None:
        enrolment = LiveEnrolment(self.identifier, HaarDetector(), len(pictures), 0, 0.0)
        for number, picture in enumerate(pictures):
            enrolment.see(Frame(picture, number * FACE_EVERY_S))
            if enrolment.refused["face"]:
                raise GalleryError(enrolment.refused["face"])
        self.service.station.enrolled.enroll(name, change(enrolment.samples))

    def kiosk(self, name: str, pictures: Sequence[Picture], change: Change = list) -> None:
        enrolment = self.service.enrolment
        enrolment.begin(name, "to be greeted")
        try:
            for angle, picture in zip(RULES.angles, pictures, strict=False):
                self.scene.picture = picture
                wait_until(partial(self._sees, picture))
                taken = enrolment.face(angle)
                if not taken.kept:
                    raise GalleryError(taken.message)
            assert enrolment.begun
            kept = enrolment.begun.samples
            enrolment.begun.samples = dict(zip(kept, change(list(kept.values())), strict=True))
            enrolment.finish()
        finally:
            if enrolment.begun:
                enrolment.cancel()

    def _sees(self, picture: Picture) -> bool:
        frame = self.service.station.frame(2.0)
        return (frame is not None and frame.picture.shape == picture.shape
                and float(np.abs(frame.picture.astype(int) - picture).mean()) < 3)
