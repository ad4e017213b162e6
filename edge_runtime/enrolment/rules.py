"""The rules of enrolment: one table, and faces and clips judged by it.

However somebody is enrolled, by files, live, at a kiosk or on a phone, this is what holds. What a
gallery refuses whoever hands it over (counts, samples of two people, somebody who is enrolled
already, an unfit bundle) it checks itself (gallery/samples.py), by the same limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from edge_runtime.gallery.samples import (
    LEAST_COSINE,
    LEAST_SHARE,
    MAX_SAMPLES,
    MIN_SAMPLES,
    MOST_EER,
    SAME_PERSON_COSINE,
    TWO_PEOPLE,
)
from edge_runtime.signals.detection import Box, Picture
from edge_runtime.signals.face_quality import (
    FaceReason,
    Flaw,
    VoiceReason,
    face_quality,
    usable_face,
)
from edge_runtime.signals.voice import Sound
from edge_runtime.signals.voice_quality import can_judge_voices, voice_quality

Way = Literal["live", "kiosk", "phone"]
Angle = Literal["front", "left", "right"]


@dataclass(frozen=True)
class Wanted:
    """How many samples are asked for. clips: none where there is no microphone."""

    faces: int
    clips: int


@dataclass(frozen=True, kw_only=True)
class Rules:
    """min_samples: of both modalities together; max_samples: of each. wanted: of files, as many as
    are given. angles: at which a kiosk and a phone take as many faces each. recorded_s: of a clip
    there. refused: the flaws for which a sample is not taken. least_cosine, least_share,
    two_people: agreement of samples. same_person_cosine: of templates under two names. most_eer: of
    a bundle. gallery/samples.py explains all of these.
    """

    min_samples: int
    max_samples: int
    wanted: Mapping[Way, Wanted]
    angles: tuple[Angle, ...]
    recorded_s: float
    refused: tuple[FaceReason | VoiceReason, ...]
    least_cosine: float
    least_share: float
    two_people: float
    same_person_cosine: float
    most_eer: float


RULES = Rules(
    min_samples=MIN_SAMPLES,
    max_samples=MAX_SAMPLES,
    wanted={"live": Wanted(5, 3), "kiosk": Wanted(3, 3), "phone": Wanted(6, 3)},
    angles=("front", "left", "right"),
    recorded_s=4.0,
    # Identifying takes the largest of several faces. Enrolling might take a bystander's for good.
    refused=("no_face", "several_faces", "face_too_small", "face_cut_off", "face_blurred",
             "face_too_dark", "face_too_bright", "face_low_contrast", "too_little_speech",
             "voice_too_quiet", "voice_clipped", "voice_noisy"),
    least_cosine=LEAST_COSINE,
    least_share=LEAST_SHARE,
    two_people=TWO_PEOPLE,
    same_person_cosine=SAME_PERSON_COSINE,
    most_eer=MOST_EER,
)


def judge_picture(
    picture: Picture, boxes: Sequence[Box]
) -> tuple[Box | None, tuple[Flaw, ...]]:
    """The one face that was found on a whole picture, None if it is refused; and why it is."""
    box, flaws = usable_face(picture, boxes)
    if len(boxes) > 1:  # first: of which one are the other flaws?
        flaws = (Flaw("several_faces", f"{len(boxes)} faces were found, and nobody can say which "
                                       "one is meant; come alone"),)
    refused = _refused(flaws)
    return (None if refused else box), refused


def judge_crop(crop: Picture) -> tuple[Flaw, ...]:
    """Why a crop of a face, RGB, uint8 [height, width, 3], is refused; empty where it is not."""
    return _refused(face_quality(crop))


def judge_clip(sound: Sound) -> tuple[Flaw, ...]:
    """The same for a clip, float32 [samples]. Without webrtcvad none is judged."""
    return _refused(voice_quality(sound)) if can_judge_voices() else ()


def _refused(flaws: Sequence[Flaw]) -> tuple[Flaw, ...]:
    return tuple(flaw for flaw in flaws if flaw.reason in RULES.refused)
