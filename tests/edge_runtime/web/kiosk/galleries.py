"""Galleries in which people are told apart as well as a bundle's networks can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.decision.decide import COLUMNS, EnrolledThresholds
from edge_runtime.decision.identify import Identifier
from edge_runtime.decision.similarity import LogOdds, Similarity
from edge_runtime.enrolment.rules import judge_picture
from edge_runtime.errors import GalleryError
from edge_runtime.gallery.samples import NewSample, check_agreement
from edge_runtime.modalities import MODALITIES, Modality
from edge_runtime.signals.detection import HaarDetector, face_crop
from tests.edge_runtime.web.kiosk.stand_ins import Person

ENROLLED = 3  # faces of each, the rest is what they are tried by
_SCALE = 8.0  # log-odds per cosine; with many more, two samples of one person seem of two people
_CLEAR = 0.2  # cosines between voices of one person and of two, so that any sentence will do


@dataclass(frozen=True)
class Embedded:
    """float32 [n, dim] by modality."""

    by: dict[Modality, npt.NDArray[np.float32]]

    @classmethod
    def of(cls, identifier: Identifier, person: Person) -> Embedded:
        faces = face_embeddings(identifier, person)
        assert faces is not None, "pictures that nobody can be enrolled from"
        voices = [identifier.embed(voice=sound)["voice"] for sound in person.sounds]
        return cls({"face": faces, "voice": np.stack(voices)})

    def samples(self) -> list[NewSample]:
        """What they are enrolled by."""
        return [NewSample(f"{modality} {number}", modality, row) for modality in MODALITIES
                for number, row in enumerate(self.by[modality][:ENROLLED])]

    def gap(self, other: Embedded, modality: Modality) -> tuple[float, float]:
        """The least cosine of their own with what they are enrolled by, the greatest of others."""
        template = self.by[modality][:ENROLLED].mean(axis=0)
        template /= np.linalg.norm(template)
        own = self.by[modality][ENROLLED:] if modality == "face" else self.by[modality]
        return float((own @ template).min()), float((other.by[modality] @ template).max())


def face_embeddings(identifier: Identifier, person: Person) -> npt.NDArray[np.float32] | None:
    """float32 [pictures, dim]; None where somebody cannot be enrolled from every picture, or not
    from the first ENROLLED one after the other."""
    detector, faces = HaarDetector(), []
    for picture in person.pictures:
        box, _ = judge_picture(picture, detector.detect(picture))
        if box is None:
            return None
        faces.append(identifier.embed(face=face_crop(picture, box))["face"])
    samples = [NewSample(str(number), "face", row) for number, row in enumerate(faces[:ENROLLED])]
    try:
        for count in range(1, len(samples) + 1):
            check_agreement(samples[:count])
    except GalleryError:
        return None
    return np.stack(faces)


def thresholds_between(
    enrolled: Sequence[Embedded], strangers: Sequence[Embedded]
) -> EnrolledThresholds:
    """Thresholds half-way between the least alike of one person and the most alike of two. Voices,
    where they hardly tell these people apart, say nothing and name nobody; faces have to."""
    odds: dict[str, LogOdds] = {}
    for modality in MODALITIES:
        gaps = [one.gap(other, modality) for one in enrolled
                for other in (*enrolled, *strangers) if other is not one]
        least, most = min(own for own, _ in gaps), max(others for _, others in gaps)
        assert modality == "voice" or least > most, f"faces are not told apart: {least} < {most}"
        odds[modality] = (LogOdds({modality: _SCALE}, -_SCALE * (least + most) / 2)
                          if modality == "face" or least > most + _CLEAR
                          else LogOdds({modality: 0.0}, 0.0))
    odds["both"] = LogOdds({m: odds[m].scale[m] for m in MODALITIES},
                           sum(odds[m].offset for m in MODALITIES))
    thresholds = dict.fromkeys(COLUMNS, 0.0)
    if not odds["voice"].scale["voice"]:
        thresholds["voice"] = 1.0
    return EnrolledThresholds(
        similarity=Similarity(**odds), least=thresholds, false_accept_rate=0.05,
        false_accept_bound=dict.fromkeys(COLUMNS, 0.05), miss_rate=dict.fromkeys(COLUMNS, 0.1),
        people=len(enrolled))
