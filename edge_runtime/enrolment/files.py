"""Somebody enrolled from files: crops of their face, and clips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.enrolment.rules import judge_clip, judge_crop
from edge_runtime.errors import GalleryError, InputError
from edge_runtime.gallery.roster import Embeddings
from edge_runtime.gallery.samples import NewSample, check_counts, first_problem
from edge_runtime.modalities import Modality
from edge_runtime.signals.face import read_face
from edge_runtime.signals.face_quality import Flaw
from edge_runtime.signals.voice import read_clip

if TYPE_CHECKING:  # only what enrolls has to load interpreters
    from edge_runtime.decision.identify import Identifier


def read_samples(
    identifier: Identifier, faces: Sequence[str | Path] = (), clips: Sequence[str | Path] = (), *,
    any_quality: bool = False,
) -> list[NewSample]:
    """Embeddings of files. GalleryError where there are none or too many, where one cannot be read
    or, unless `any_quality`, is not good enough, and how many more are."""
    files: list[tuple[Modality, Path]] = [*(("face", Path(file)) for file in faces),
                                          *(("voice", Path(file)) for file in clips)]
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
        raise GalleryError(first_problem(problems))
    return samples


def _read(
    identifier: Identifier, modality: Modality, file: Path
) -> tuple[tuple[Flaw, ...], Embeddings]:
    """Why it is refused, and its embedding."""
    if modality == "face":
        picture = read_face(file)
        return judge_crop(picture), identifier.embed(face=picture)["face"]
    sound = read_clip(file)
    return judge_clip(sound), identifier.embed(voice=sound)["voice"]
