"""What somebody is enrolled from: embeddings of faces and clips that agree with each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_runtime.errors import GalleryError, InputError
from edge_runtime.face import read_picture
from edge_runtime.gallery.search import Embeddings
from edge_runtime.manifest import NetworkFile
from edge_runtime.people import MODALITIES, Modality
from edge_runtime.quality import Flaw, face_quality, refusals
from edge_runtime.speech import can_judge_voices, voice_quality
from edge_runtime.voice import read_clip

if TYPE_CHECKING:  # only what enrolls has to load interpreters and readers of files
    from edge_runtime.identify import Identifier

MAX_SAMPLES = 20  # of a modality
# A sample is refused whose cosine with the most typical one lies under this share of the others',
# or under LEAST_COSINE, which alone counts where there are but two. By a network trained on kiosk95
# with softmax, on people30, whom it does not know: of 400 draws of 3 to 10 samples at most 0.3 %
# are refused, with a stranger's among them 57 to 67 % (faces) and 42 to 49 % (voices). Of two
# samples, a stranger's is mostly let through.
LEAST_SHARE = 0.7
LEAST_COSINE = 0.4


@dataclass(frozen=True)
class NewSample:
    """A face or a clip, by its embedding, float32 [dim] of length 1. source: the file's name or
    what else tells people which one is meant; it is never stored."""

    source: str
    modality: Modality
    embedding: Embeddings


def read_samples(
    identifier: Identifier, faces: Sequence[Path] = (), clips: Sequence[Path] = (), *,
    any_quality: bool = False,
) -> list[NewSample]:
    """Embeddings of files. GalleryError where there are none or too many, where one cannot be read
    or, unless `any_quality`, is not good enough, and how many more are."""
    files: list[tuple[Modality, Path]] = [*(("face", file) for file in faces),
                                          *(("voice", file) for file in clips)]
    check_counts([modality for modality, _ in files])
    samples: list[NewSample] = []
    problems: list[str] = []
    for modality, file in files:
        try:
            flaws, embedding = _read(identifier, modality, file)
        except InputError as error:
            problems.append(str(error))
            continue
        if flaws and not any_quality:
            problems.append(f"{file}: {'; '.join(flaw.message for flaw in flaws)}")
        else:
            samples.append(NewSample(str(file), modality, embedding))
    if problems:
        raise GalleryError(_with_count(problems))
    return samples


def _read(
    identifier: Identifier, modality: Modality, file: Path
) -> tuple[tuple[Flaw, ...], Embeddings]:
    """Why it should not be used, and its embedding. Without webrtcvad no clip is judged."""
    if modality == "face":
        picture = read_picture(file)
        return refusals(face_quality(picture)), identifier.embed(face=picture)["face"]
    sound = read_clip(file)
    flaws = voice_quality(sound) if can_judge_voices() else ()
    return refusals(flaws), identifier.embed(voice=sound)["voice"]


def of_modality(samples: Sequence[NewSample], modality: Modality) -> Embeddings:
    """float32 [n, dim]; [0, 0] where there is none."""
    found = [sample.embedding for sample in samples if sample.modality == modality]
    return np.stack(found) if found else np.empty((0, 0), np.float32)


def check_counts(modalities: Sequence[Modality]) -> None:
    """GalleryError where there are too few or too many samples; the modality of each is given."""
    if not modalities:
        raise GalleryError("expected at least one face or one clip, found none")
    for modality in MODALITIES:
        count = modalities.count(modality)
        if count > MAX_SAMPLES:
            raise GalleryError(f"expected at most {MAX_SAMPLES} samples of a {modality}, found "
                               f"{count}; choose {MAX_SAMPLES} that differ")


def check_embeddings(
    samples: Sequence[NewSample], networks: Mapping[Modality, NetworkFile]
) -> None:
    """GalleryError where one is not an embedding as the bundle's network gives them."""
    for sample in samples:
        network = networks.get(sample.modality)
        dim = network.embedding_dim if network else 0
        length = float(np.linalg.norm(sample.embedding))
        if sample.embedding.shape != (dim,) or not abs(length - 1) < 0.01:
            raise GalleryError(
                f"{sample.source}: expected {dim} numbers of length 1 from the bundle's "
                f"{sample.modality} network, found {sample.embedding.size} of length "
                f"{length:.2f}; take another sample")


def check_agreement(samples: Sequence[NewSample]) -> None:
    """GalleryError where a sample is the same as another, or far from the others of its modality:
    its cosine with the most typical one under LEAST_SHARE of their median, or LEAST_COSINE."""
    problems: list[str] = []
    for modality in MODALITIES:
        problems += _disagreeing([s for s in samples if s.modality == modality])
    if problems:
        raise GalleryError(_with_count(problems))


def _disagreeing(samples: Sequence[NewSample]) -> list[str]:
    if len(samples) < 2:
        return []
    embeddings = np.stack([sample.embedding for sample in samples])
    if copy := _copy(samples):
        return [copy]
    typical = int(np.argmax((embeddings @ embeddings.T).sum(axis=1)))
    cosines = embeddings @ embeddings[typical]
    others = np.delete(cosines, typical)
    # The upper one of two medians: of three samples, the two that agree outvote the third.
    usual = float(np.sort(others)[len(others) // 2])
    least = max(LEAST_SHARE * usual, LEAST_COSINE)
    word = "faces" if samples[0].modality == "face" else "clips"
    return [f"{sample.source}: does not agree with the other {word} (its cosine with "
            f"{samples[typical].source} is {cosine:.2f}, at least {least:.2f} is expected); leave "
            "out the one that is somebody else, or blurred, or noise"
            for sample, cosine in zip(samples, cosines, strict=True) if cosine < least]


def _copy(samples: Sequence[NewSample]) -> str | None:
    seen: dict[bytes, str] = {}
    for sample in samples:
        content = sample.embedding.tobytes()
        if content in seen:
            return (f"{sample.source}: the same as {seen[content]}; expected samples that differ, "
                    "leave one out")
        seen[content] = sample.source
    return None


def _with_count(problems: Sequence[str]) -> str:
    more = len(problems) - 1
    return problems[0] + (f" (and {more} more like it)" if more else "")
