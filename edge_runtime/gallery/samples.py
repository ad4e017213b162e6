"""What somebody is enrolled from: embeddings of faces and clips that agree with each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_runtime.errors import GalleryError, InputError
from edge_runtime.gallery.agreement import Parted, least_expected, part
from edge_runtime.gallery.search import Embeddings
from edge_runtime.manifest import NetworkFile
from edge_runtime.modalities import MODALITIES, Modality
from edge_runtime.photograph import read_face
from edge_runtime.quality import Flaw, face_quality, refusals
from edge_runtime.similarity import Similarity
from edge_runtime.speech import can_judge_voices, voice_quality
from edge_runtime.voice import read_clip

if TYPE_CHECKING:  # only what enrolls has to load interpreters and readers of files
    from edge_runtime.identify import Identifier

MAX_SAMPLES = 20  # of a modality
_MOST_NAMED = 10  # files in a message


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
        picture = read_face(file)
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


def check_agreement(samples: Sequence[NewSample], similarity: Similarity | None = None) -> None:
    """GalleryError names samples that are the same as others, or of somebody else than these: see
    agreement.py.

    similarity: as `visavox thresholds` has fitted it to the networks, which finds far more.
    """
    by_modality = {m: [s for s in samples if s.modality == m] for m in MODALITIES}
    problems = [problem for found in by_modality.values() if (problem := _copy(found))]
    if not problems:
        parted = {m: part(of_modality(found, m)) for m, found in by_modality.items()
                  if len(found) > 1}
        least = least_expected(parted, similarity)
        problems = [_disagreement(by_modality[m], found, least[m])
                    for m, found in parted.items() if found.between < least[m]]
    if problems:
        raise GalleryError(_with_count(problems))


def _disagreement(samples: Sequence[NewSample], found: Parted, least: float) -> str:
    word = "faces" if samples[0].modality == "face" else "clips"
    apart, others = (_listed([samples[i].source for i in rows])
                     for rows in (found.apart, found.others))
    verb = "does" if len(found.apart) == 1 else "do"
    return (f"{apart}: {verb} not agree with the other {word}, {others} (mean cosine "
            f"{found.between:.2f}, at least {least:.2f} is expected of one person); leave out "
            "what is of somebody else, or blurred, or noise")


def _listed(sources: Sequence[str]) -> str:
    more = len(sources) - _MOST_NAMED
    return ", ".join(sources[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


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
    """The first problem, and how many more there are."""
    more = len(problems) - 1
    return problems[0] + (f" (and {more} more like it)" if more else "")
