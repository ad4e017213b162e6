"""What is held against people enrolled: embeddings of faces and clips, and what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge_runtime.accuracy import Pair
from edge_runtime.crop import Picture
from edge_runtime.identify import Identifier
from edge_runtime.modalities import MODALITIES, Modality
from edge_runtime.people import Sample
from edge_runtime.quality import Flaw, face_quality, may_contradict, refusals
from edge_runtime.speech import voice_quality
from edge_runtime.trials import Embeddings
from edge_runtime.voice import Sound


@dataclass(frozen=True)
class Probes:
    """By file; what `identify` makes of a file's flaws stands below. given: what there is at all.
    """

    embeddings: Embeddings
    flaws: Mapping[Sample, tuple[Flaw, ...]]
    given: tuple[Modality, ...] = MODALITIES

    def __or__(self, others: Probes) -> Probes:
        """The others in the place of those of the same files."""
        return Probes({**self.embeddings, **others.embeddings}, {**self.flaws, **others.flaws},
                      self.given)

    def used(self, pair: Pair) -> tuple[Modality, ...]:
        """Those that are good enough, or all that there is where none is."""
        good = tuple(sample.modality for sample in pair
                     if sample.modality in self.given and not refusals(self.flaws[sample]))
        return good or self.given

    def doubtful(self, pair: Pair) -> tuple[Modality, ...]:
        """Those that may not contradict the other."""
        return tuple(sample.modality for sample in pair if not may_contradict(self.flaws[sample]))


def probe(
    identifier: Identifier, faces: Mapping[Sample, Picture], clips: Mapping[Sample, Sound]
) -> Probes:
    """faces: crops. clips: float32 [samples] at 16 kHz."""
    embeddings = {face: identifier.embed(face=crop)["face"] for face, crop in faces.items()}
    embeddings |= {clip: identifier.embed(voice=sound)["voice"] for clip, sound in clips.items()}
    flaws = {face: face_quality(crop) for face, crop in faces.items()}
    flaws |= {clip: voice_quality(sound) for clip, sound in clips.items()}
    return Probes(embeddings, flaws)
