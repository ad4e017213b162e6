"""Who is it? A bundle, a face and a voice in, a decision out.

    from pathlib import Path
    from edge_runtime.identify import Identifier

    identifier = Identifier.load(Path("bundle"))
    decision = identifier.identify(face=Path("face.png"), voice=Path("clip.wav"))
    print(decision.top[0].person, round(decision.top[0].score, 3))
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.ImageOps  # noqa: F401  # these three now, or the first decision's time would hold them
import soundfile  # noqa: F401
import soxr  # noqa: F401

from edge_runtime.bundle import Bundle, load_bundle
from edge_runtime.candidates import Enrolled
from edge_runtime.crop import Picture
from edge_runtime.decide import Reason, Verdict, among_enrolled, among_trained
from edge_runtime.detect import Detector, HaarDetector
from edge_runtime.errors import UsageError
from edge_runtime.inputs import InputReader, Quality
from edge_runtime.interpreter import Network, Outputs, chosen_interpreter
from edge_runtime.people import MODALITIES, Modality
from edge_runtime.scoring import Scores
from edge_runtime.speech import can_judge_voices
from edge_runtime.stages import Stages
from edge_runtime.voice import Sound


@dataclass(frozen=True)
class Ranked:
    """A person and their fused score."""

    person: str
    score: float


@dataclass(frozen=True)
class Decision:
    """Who, or nobody, and why.

    person: None for nobody, and where the bundle has no thresholds (reason `no_thresholds`), so
    that `top` ranks people but nobody is named or refused. people: in the order of the scores.
    scores: [people] by modality and `fused`. ms: milliseconds of each stage. quality: what is wrong
    with the face and the voice that were given; None for a voice where webrtcvad is missing. used:
    the modalities decided by. left_out: enrolled people whom a "not this person" sample speaks
    against. threshold: the fused score from which on somebody is named, and false_accept_rate the
    share of strangers who reach it at most; None where there is none.
    """

    person: str | None
    reason: Reason
    top: tuple[Ranked, ...]
    people: tuple[str, ...]
    scores: dict[str, Scores]
    ms: dict[str, float]
    interpreter: str
    quality: Quality
    used: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    threshold: float | None = None
    false_accept_rate: float | None = None

    def content(self) -> dict[str, Any]:
        """What `visavox identify --json` prints."""
        return {"person": self.person, "reason": self.reason,
                "threshold": self.threshold, "false_accept_rate": self.false_accept_rate,
                "top": [{"person": r.person, "score": round(r.score, 6),
                         "scores": self.scores_of(r.person)} for r in self.top],
                "ms": {stage: round(ms, 3) for stage, ms in self.ms.items()},
                "left_out": list(self.left_out), "interpreter": self.interpreter,
                "quality": {part: flaws and [asdict(flaw) for flaw in flaws]
                            for part, flaws in self.quality.items()}}

    def scores_of(self, person: str) -> dict[str, float | None]:
        """By modality; None for one that the person is not enrolled by."""
        place = self.people.index(person)
        found = {m: float(self.scores[m][place]) for m in MODALITIES if m in self.scores}
        return {m: None if np.isnan(score) else round(score, 6) for m, score in found.items()}


class Identifier:
    """The networks of a bundle, loaded once and run many times."""

    def __init__(self, bundle: Bundle, num_threads: int = 1) -> None:
        self.manifest = bundle.manifest
        self._networks: dict[str, Network] = bundle.networks(num_threads)
        self._detector: Detector | None = None
        can_judge_voices()  # imports now what the first decision's time would hold

    @classmethod
    def load(
        cls, path: str | Path, *, num_threads: int = 1, allow_uncertified: bool = False
    ) -> Identifier:
        """Load and check the bundle at `path`; BundleError where it cannot be used."""
        return cls(load_bundle(path, allow_uncertified=allow_uncertified), num_threads)

    def identify(
        self, face: Path | Picture | None = None, voice: Path | Sound | None = None,
        *, picture: Path | Picture | None = None, detector: Detector | None = None,
        gallery: Enrolled | None = None, num_top: int = 5,
    ) -> Decision:
        """Rank the bundle's people, or those enrolled in a gallery, by a face, a voice, or both.

        face: a file, or RGB, uint8 [height, width, 3], a crop of the face. picture: the same of a
        whole camera picture, whose largest face `detector` finds (Haar unless given); a face that
        is not good enough is left out. voice: a file, or mono, float32 [samples] at 16 kHz. Of a
        face and a voice, one that is not good enough is left out too.

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
        if "fused" not in self._networks:  # which takes both or nothing
            reader.leave_out_refused()
        outputs = self.run(reader, clock)
        if not outputs:
            reader.refuse_face(picture)
            raise UsageError("this bundle's network takes a face and a voice together, found one")
        with clock.stage("decision"):
            verdict = self.verdict(outputs, gallery, reader.doubtful)
            fused = verdict.scores["fused"]
            top = tuple(Ranked(verdict.names[i], float(fused[i]))
                        for i in np.argsort(-fused, kind="stable")[:num_top])
        return Decision(
            verdict.person, verdict.reason, top, tuple(verdict.names), verdict.scores, clock.ms,
            str(chosen_interpreter()), reader.quality, tuple(reader.arrays), verdict.left_out,
            verdict.threshold, verdict.false_accept_rate)

    def verdict(
        self, outputs: Mapping[str, Outputs], gallery: Enrolled | None,
        doubtful: Collection[Modality] = (),
    ) -> Verdict:
        """By what networks put out: the scores of people of the training, or where there is a
        gallery the embeddings of those enrolled. doubtful: see `among_enrolled`."""
        if gallery is None:
            return among_trained(self.manifest, {p: found.scores for p, found in outputs.items()})
        if "fused" in outputs:
            raise UsageError("expected a bundle of a pair, whose embeddings people are enrolled "
                             "by, found one fused network; leave out the gallery")
        return among_enrolled(gallery.candidates(
            {m: outputs[m].embedding for m in MODALITIES if m in outputs}), doubtful)

    def embed(
        self, face: Path | Picture | None = None, voice: Path | Sound | None = None
    ) -> dict[str, npt.NDArray[np.float32]]:
        """Embeddings, float32 [dim] of length 1, of a face, a voice, or both, by modality.

        Takes what `identify` takes. Raises UsageError where the bundle has no network for the
        modality alone, InputError for a bad file.
        """
        for modality, given in (("face", face), ("voice", voice)):
            if given is not None:
                self.check_embeds(modality)
        reader = InputReader(self.manifest.inputs, Stages())
        if face is not None:
            reader.face(face)
        if voice is not None:
            reader.voice(voice)
        return {modality: self._networks[modality].run(**{modality: value}).embedding
                for modality, value in reader.arrays.items()}

    def check_embeds(self, modality: str) -> None:
        """UsageError where the bundle has no network for the modality alone."""
        if modality not in self._networks:
            raise UsageError(f"expected a bundle with a {modality} network of its own, found "
                             f"{', '.join(self._networks)}; enroll with a bundle of a pair")

    def _own_detector(self) -> Detector:
        if self._detector is None:
            self._detector = HaarDetector()
        return self._detector

    def run(self, reader: InputReader, clock: Stages) -> dict[str, Outputs]:
        """What each network puts out whose inputs are all there."""
        outputs: dict[str, Outputs] = {}
        for part, network in self._networks.items():
            wanted = {name: reader.arrays[name] for name in network.inputs if name in reader.arrays}
            if len(wanted) == len(network.inputs):
                with clock.stage(f"{part}_network"):
                    outputs[part] = network.run(**wanted)
        return outputs
