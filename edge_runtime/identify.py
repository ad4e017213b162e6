"""Who is it? A bundle, a face and a voice in, a decision out.

    from pathlib import Path
    from edge_runtime.identify import Identifier

    identifier = Identifier.load(Path("demo/bundle"))
    decision = identifier.identify(face=Path("face.png"), voice=Path("clip.wav"))
    print(decision.top[0].person, decision.top[0].score)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import PIL.ImageOps  # noqa: F401  # these three now, or the first decision's time would hold them
import soundfile  # noqa: F401
import soxr  # noqa: F401

from edge_runtime.bundle import Bundle, load_bundle
from edge_runtime.crop import Picture
from edge_runtime.detect import Detector, HaarDetector
from edge_runtime.errors import UsageError
from edge_runtime.inputs import InputReader, Quality
from edge_runtime.interpreter import Network, chosen_interpreter
from edge_runtime.scoring import Scores, fuse
from edge_runtime.speech import can_judge_voices
from edge_runtime.stages import Stages
from edge_runtime.voice import Sound

Reason = Literal["accepted", "below_threshold", "no_thresholds"]


@dataclass(frozen=True)
class Ranked:
    """A person and their fused score."""

    person: str
    score: float


@dataclass(frozen=True)
class Decision:
    """Who, or nobody, and why.

    person: None for nobody, and where the bundle has no thresholds (reason `no_thresholds`), so
    that `top` ranks people but nobody is named or refused. scores: [people] by modality and
    `fused`. ms: milliseconds of each stage. quality: what is wrong with the face and the voice
    that were given; None for a voice where webrtcvad is missing. used: the modalities decided by.
    """

    person: str | None
    reason: Reason
    top: tuple[Ranked, ...]
    scores: dict[str, Scores]
    ms: dict[str, float]
    interpreter: str
    quality: Quality
    used: tuple[str, ...]


class Identifier:
    """The networks of a bundle, loaded once and run many times."""

    def __init__(self, bundle: Bundle, num_threads: int = 1) -> None:
        self.manifest = bundle.manifest
        self._networks: dict[str, Network] = bundle.networks(num_threads)
        self._thresholds = bundle.manifest.thresholds
        self._detector: Detector | None = None
        can_judge_voices()  # imports now what the first decision's time would hold

    @classmethod
    def load(
        cls, path: Path, *, num_threads: int = 1, allow_uncertified: bool = False
    ) -> Identifier:
        """Load and check the bundle at `path`; BundleError where it cannot be used."""
        return cls(load_bundle(path, allow_uncertified=allow_uncertified), num_threads)

    def identify(
        self, face: Path | Picture | None = None, voice: Path | Sound | None = None,
        *, picture: Path | Picture | None = None, detector: Detector | None = None,
        num_top: int = 5,
    ) -> Decision:
        """Rank the bundle's people by a face, a voice, or both.

        face: a file, or RGB, uint8 [height, width, 3], a crop of the face. picture: the same of a
        whole camera picture, whose largest face `detector` finds (Haar unless given); a face that
        is not good enough is left out. voice: a file, or mono, float32 [samples] at 16 kHz.

        Raises UsageError for arguments that do not go together, InputError for a bad file, and for
        a picture without a good face where there is no voice to judge by.
        """
        if face is None and voice is None and picture is None:
            raise UsageError("expected a face, a voice, or both, found neither")
        if face is not None and picture is not None:
            raise UsageError("expected a face or a picture, found both")
        clock = Stages()
        reader = InputReader(self.manifest.inputs, clock)
        if face is not None:
            reader.face(face)
        if picture is not None:
            reader.picture(picture, detector or self._own_detector())
        if voice is not None:
            reader.voice(voice)
        scores = self._run(reader, clock)
        if not scores:
            reader.refuse_face(picture)
            raise UsageError("this bundle's network takes a face and a voice together, found one")
        with clock.stage("decision"):
            fused = scores["fused"] if "fused" in scores else fuse(
                scores.get("face"), scores.get("voice"), self.manifest.score_scaling)
            scores["fused"] = fused
            person, reason = self._decide(fused, scores)
            top = tuple(Ranked(self.manifest.people[i], float(fused[i]))
                        for i in np.argsort(-fused, kind="stable")[:num_top])
        return Decision(person, reason, top, scores, clock.ms, str(chosen_interpreter()),
                        reader.quality, tuple(reader.arrays))

    def embed(
        self, face: Path | Picture | None = None, voice: Path | Sound | None = None
    ) -> dict[str, npt.NDArray[np.float32]]:
        """Embeddings, float32 [dim] of length 1, of a face, a voice, or both, by modality.

        Takes what `identify` takes. Raises UsageError where the bundle has no network for the
        modality alone, InputError for a bad file.
        """
        for modality, given in (("face", face), ("voice", voice)):
            if given is not None and modality not in self._networks:
                raise UsageError(f"expected a bundle with a {modality} network of its own, found "
                                 f"{', '.join(self._networks)}; enroll with a bundle of a pair")
        reader = InputReader(self.manifest.inputs, Stages())
        if face is not None:
            reader.face(face)
        if voice is not None:
            reader.voice(voice)
        return {modality: self._networks[modality].run(**{modality: value}).embedding
                for modality, value in reader.arrays.items()}

    def _own_detector(self) -> Detector:
        if self._detector is None:
            self._detector = HaarDetector()
        return self._detector

    def _run(self, reader: InputReader, clock: Stages) -> dict[str, Scores]:
        """The scores of each network whose inputs are all there."""
        scores: dict[str, Scores] = {}
        for part, network in self._networks.items():
            wanted = {name: reader.arrays[name] for name in network.inputs if name in reader.arrays}
            if len(wanted) == len(network.inputs):
                with clock.stage(f"{part}_network"):
                    scores[part] = network.run(**wanted).scores
        return scores

    def _decide(self, fused: Scores, scores: dict[str, Scores]) -> tuple[str | None, Reason]:
        if self._thresholds is None:
            return None, "no_thresholds"
        if "face" in scores and "voice" not in scores:
            least = self._thresholds.face
        elif "voice" in scores and "face" not in scores:
            least = self._thresholds.voice
        else:
            least = self._thresholds.ensemble
        best = int(np.argmax(fused))
        if fused[best] < least:
            return None, "below_threshold"
        return self.manifest.people[best], "accepted"
