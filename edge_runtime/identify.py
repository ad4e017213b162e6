"""Who is it? A bundle, a face and a voice in, a decision out.

    from pathlib import Path
    from edge_runtime.identify import Identifier

    identifier = Identifier.load(Path("demo/bundle"))
    decision = identifier.identify(face=Path("face.png"), voice=Path("clip.wav"))
    print(decision.top[0].person, decision.top[0].score)
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import PIL.ImageOps  # noqa: F401  # these three now, or the first decision's time would hold them
import soundfile  # noqa: F401
import soxr  # noqa: F401

from edge_runtime.bundle import Bundle, load_bundle
from edge_runtime.errors import UsageError
from edge_runtime.face import face_input, read_picture, square_face
from edge_runtime.interpreter import Network, chosen_interpreter
from edge_runtime.scoring import Scores, fuse
from edge_runtime.voice import Sound, read_clip, voice_input

Reason = Literal["accepted", "below_threshold", "no_thresholds"]
Picture = npt.NDArray[np.uint8]


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
    `fused`. ms: milliseconds of each stage.
    """

    person: str | None
    reason: Reason
    top: tuple[Ranked, ...]
    scores: dict[str, Scores]
    ms: dict[str, float]
    interpreter: str


class Identifier:
    """The networks of a bundle, loaded once and run many times."""

    def __init__(self, bundle: Bundle, num_threads: int = 1) -> None:
        self.manifest = bundle.manifest
        self._networks: dict[str, Network] = bundle.networks(num_threads)
        self._thresholds = bundle.manifest.thresholds

    @classmethod
    def load(
        cls, path: Path, *, num_threads: int = 1, allow_uncertified: bool = False
    ) -> Identifier:
        """Load and check the bundle at `path`; BundleError where it cannot be used."""
        return cls(load_bundle(path, allow_uncertified=allow_uncertified), num_threads)

    def identify(
        self, face: Path | Picture | None = None, voice: Path | Sound | None = None,
        *, num_top: int = 5,
    ) -> Decision:
        """Rank the bundle's people by a face, a voice, or both.

        face: a file, or RGB, uint8 [height, width, 3], a crop of the face. voice: a file, or mono,
        float32 [samples] at 16 kHz. Raises UsageError with neither, InputError for a bad file.
        """
        if face is None and voice is None:
            raise UsageError("expected a face, a voice, or both, found neither")
        clock = _Stages()
        inputs = self._read(face, voice, clock)
        scores: dict[str, Scores] = {}
        for part, network in self._networks.items():
            wanted = {name: inputs[name] for name in network.inputs if name in inputs}
            if len(wanted) < len(network.inputs):
                continue
            with clock.stage(f"{part}_network"):
                scores[part] = network.run(**wanted).scores
        if not scores:
            raise UsageError("this bundle's network takes a face and a voice together, found one")
        with clock.stage("decision"):
            fused = scores["fused"] if "fused" in scores else fuse(
                scores.get("face"), scores.get("voice"), self.manifest.score_scaling)
            scores["fused"] = fused
            person, reason = self._decide(fused, scores)
            top = tuple(Ranked(self.manifest.people[i], float(fused[i]))
                        for i in np.argsort(-fused, kind="stable")[:num_top])
        return Decision(person, reason, top, scores, clock.ms, str(chosen_interpreter()))

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
        return {modality: self._networks[modality].run(**{modality: value}).embedding
                for modality, value in self._read(face, voice, _Stages()).items()}

    def _read(
        self, face: Path | Picture | None, voice: Path | Sound | None, clock: _Stages
    ) -> dict[str, npt.NDArray[np.float32]]:
        inputs: dict[str, npt.NDArray[np.float32]] = {}
        contract = self.manifest.inputs
        if face is not None and contract.face:
            with clock.stage("read_face"):
                picture = read_picture(face) if isinstance(face, Path) else face
                inputs["face"] = face_input(square_face(picture, contract.face.size))
        if voice is not None and contract.voice:
            with clock.stage("read_voice"):
                sound = read_clip(voice) if isinstance(voice, Path) else voice
                inputs["voice"] = voice_input(sound)
        return inputs

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


class _Stages:
    """Milliseconds of named stages."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.ms[name] = 1e3 * (time.perf_counter() - start)
