"""Who is it? A bundle, a face and a voice in, a decision out.

    from edge_runtime import Identifier

    identifier = Identifier.load("bundle")
    decision = identifier.identify(face="face.png", voice="clip.wav")
    print(decision.top[0].person, round(decision.top[0].score, 3))
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.ImageOps  # noqa: F401  # these three now, or the first decision's time would hold them
import soundfile  # noqa: F401
import soxr  # noqa: F401

from edge_runtime.bundle.networks import Bundle, Network, Outputs, chosen_interpreter, load_bundle
from edge_runtime.decision.decide import Decision, Enrolled, among_enrolled, among_trained
from edge_runtime.errors import UsageError
from edge_runtime.modalities import MODALITIES, Modality
from edge_runtime.signals.detection import Detector, HaarDetector
from edge_runtime.signals.reader import Face, InputReader, Stages, Voice
from edge_runtime.signals.voice_quality import can_judge_voices


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
        self, face: Face | None = None, voice: Voice | None = None,
        *, picture: Face | None = None, detector: Detector | None = None,
        gallery: Enrolled | None = None, num_top: int = 5,
    ) -> Decision:
        """Rank the bundle's people, or those enrolled in a gallery, by a face, a voice, or both.

        face: a crop of the face: a file, a picture of Pillow's, or RGB, uint8 [height, width, 3].
        picture: the same of a whole camera picture, whose largest face `detector` finds (Haar
        unless given); a face that is not good enough is left out. voice: a file, or mono, float32
        [samples] at 16 kHz. Of a face and a voice, one that is not good enough is left out too.

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
            found = self.decide(outputs, gallery, reader.doubtful)
        return replace(found, num_top=num_top, ms=clock.ms, quality=reader.quality)

    def decide(
        self, outputs: Mapping[str, Outputs], gallery: Enrolled | None,
        doubtful: Collection[Modality] = (),
    ) -> Decision:
        """By what networks put out: the scores of people of the training, or where there is a
        gallery the embeddings of those enrolled. doubtful: see `among_enrolled`."""
        used = tuple(m for m in MODALITIES if m in outputs or "fused" in outputs)
        if gallery is None:
            found = among_trained(self.manifest, {p: put.scores for p, put in outputs.items()})
        elif "fused" in outputs:
            raise UsageError("expected a bundle of a pair, whose embeddings people are enrolled "
                             "by, found one fused network; leave out the gallery")
        else:
            candidates = gallery.candidates({m: outputs[m].embedding for m in used})
            found = among_enrolled(candidates, doubtful)
        return replace(found, interpreter=str(chosen_interpreter()), used=used)

    def embed(
        self, face: Face | None = None, voice: Voice | None = None
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
