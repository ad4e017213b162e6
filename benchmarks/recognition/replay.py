"""A still picture with a recorded clip of the same person, held before camera and microphone.

Nothing here tells a photograph from a face: how often the pair gets the person's name says what a
decision is worth against somebody who has both.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.recognition.people import Draw
from edge_runtime.capture.camera import Frame
from edge_runtime.capture.microphone import Clip
from edge_runtime.dataset.collection import Collection
from edge_runtime.decision.decide import EnrolledThresholds
from edge_runtime.decision.identify import Identifier
from edge_runtime.decision.watch import Watcher
from edge_runtime.errors import GalleryError
from edge_runtime.evaluation.open_set import NOBODY
from edge_runtime.gallery.samples import NewSample, check_agreement
from edge_runtime.gallery.store import Gallery
from edge_runtime.signals import detection
from edge_runtime.signals.detection import Box, Picture, opencv
from edge_runtime.signals.reader import Stages
from edge_runtime.signals.voice import CLIP_SAMPLES, SAMPLE_RATE, Sound

FRAMES, RATE = 5, 10  # of the still's video, and how many a second
SIDE = 240  # pixels of a frame


class WholeFrame:
    """Finds a face that fills the picture: the people on disk are crops already, often closer than
    a detector's, by which all of them would be told apart less well, whether still or alive."""

    def detect(self, picture: Picture) -> tuple[Box, ...]:
        side = round(picture.shape[0] / detection.SIDE)
        edge = (picture.shape[0] - side) // 2
        return (Box(edge, round(edge - detection.DOWN * side), side, side),)


def measure_replay(
    identifier: Identifier, collection: Collection, draw: Draw, thresholds: Mapping[str, float],
    count: int,
) -> dict[str, Any]:
    """Each pair of those enrolled through `watch`: the face as a video of a still, the clip as a
    lossy copy of the recording.

    People are enrolled from `count` pictures and clips. collection: the probes' and theirs. Shares
    of the pairs whose face was good enough, that got the person's name, and that got another's.
    """
    pairs = [pair for pair, owner in zip(draw.pairs, draw.owners, strict=True) if owner != NOBODY]
    seen, named = [], []
    with (tempfile.TemporaryDirectory() as name,
          Gallery.open(Path(name) / "gallery.db", identifier.manifest, Path(name) / "device.key",
                       mode="create", force=True) as gallery):
        for person in draw.enrolled:
            gallery.enroll(person, _samples(identifier, collection, person, count),
                           allow_duplicate=True)
        gallery.set_thresholds(_thresholds(draw, thresholds))
        for face, clip in pairs:
            watcher = Watcher(identifier, WholeFrame(), gallery)
            video = _video(Path(name) / "still.mp4", collection.faces[face])
            found, who = _watch(watcher, video, _copy(collection.clips[clip]))
            seen.append(found)
            named.append((who == face.person, who is not None))
    right, any_name = np.array(named).T
    return {"pairs": len(pairs), "face_used": float(np.mean(seen)),
            "accepted": float(right.mean()), "as_another": float((any_name & ~right).mean())}


def _watch(watcher: Watcher, video: list[Picture], sound: Sound) -> tuple[bool, str | None]:
    """Whether a face was good enough, and who is named once both were taken in."""
    begin_s, found = 10.0, False
    for i, picture in enumerate(video):
        quality = watcher.see(Frame(picture, begin_s + i / RATE), Stages())
        found |= not quality["face"]
        watcher.decide(begin_s + i / RATE)
    end_s = begin_s + CLIP_SAMPLES / SAMPLE_RATE
    watcher.hear(Clip(sound, end_s), Stages())
    _, decision = watcher.decide(end_s)
    return found, decision.person if decision else None


def _samples(
    identifier: Identifier, collection: Collection, name: str, count: int
) -> list[NewSample]:
    """The first of their training files that `enroll` takes."""
    taken: list[NewSample] = []
    for s in collection.people.samples:
        alike = [sample for sample in taken if sample.modality == s.modality]
        if (s.person, s.split) != (name, "train") or len(alike) == count:
            continue
        found = (identifier.embed(face=collection.faces[s]) if s.modality == "face"
                 else identifier.embed(voice=collection.clips[s]))
        sample = NewSample(s.path, s.modality, found[s.modality])
        if _agree([*alike, sample]):
            taken.append(sample)
    return taken


def _agree(samples: list[NewSample]) -> bool:
    try:
        check_agreement(samples)
    except GalleryError:
        return False
    return True


def _video(file: Path, face: Picture) -> list[Picture]:
    """The frames of a still, encoded as MPEG-4 and decoded again."""
    cv2 = opencv()
    still = cv2.resize(face[..., ::-1], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"mp4v"), RATE, (SIDE, SIDE))
    for _ in range(FRAMES):
        writer.write(still)
    writer.release()
    reader = cv2.VideoCapture(str(file))
    frames = []
    while (read := reader.read())[0]:
        frames.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    reader.release()
    return frames


def _copy(sound: Sound) -> Sound:
    """Through Ogg Vorbis and back."""
    file = io.BytesIO()
    soundfile.write(file, sound, SAMPLE_RATE, format="OGG", subtype="VORBIS")
    file.seek(0)
    return np.asarray(soundfile.read(file, dtype="float32")[0])


def _thresholds(draw: Draw, thresholds: Mapping[str, float]) -> EnrolledThresholds:
    unknown = dict.fromkeys(thresholds, 1.0)
    return EnrolledThresholds(
        similarity=draw.similarity, least=dict(thresholds), false_accept_rate=1.0,
        false_accept_bound=unknown, miss_rate=unknown, people=len(draw.enrolled))
