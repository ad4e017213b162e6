"""A face missing or blurred, a voice missing or drowned: is the other alone better?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.recognition.people import Draw, Probes, probe
from edge_runtime.console.output import percent, table
from edge_runtime.dataset.people import Sample
from edge_runtime.decision.identify import Identifier
from edge_runtime.evaluation.accuracy import noisy, people_interval
from edge_runtime.evaluation.open_set import NOBODY
from edge_runtime.modalities import Modality
from edge_runtime.signals.detection import Picture
from edge_runtime.signals.voice import Sound

BLUR = 0.02  # sigma, in sides of the face
DROWNED_DB = 0.0

@dataclass(frozen=True)
class Spoilt:
    """Probes of which one modality is spoilt, and the same without it."""

    name: str
    modality: Modality
    probes: Probes
    without: Probes


def spoil(
    identifier: Identifier, clean: Probes, faces: Mapping[Sample, Picture],
    clips: Mapping[Sample, Sound], noises: Sequence[Sound],
) -> list[Spoilt]:
    """Every way. faces, clips: those of the probes. noises: to drown clips in."""
    no_face, no_voice = replace(clean, given=("voice",)), replace(clean, given=("face",))
    blurred = probe(identifier, {face: _blurred(crop) for face, crop in faces.items()}, {})
    drowned = probe(identifier, {}, {clip: noisy(clip, sound, noises, DROWNED_DB)
                                     for clip, sound in clips.items()})
    return [Spoilt("no face", "face", no_face, no_face),
            Spoilt("face blurred", "face", clean | blurred, no_face),
            Spoilt("no voice", "voice", no_voice, no_voice),
            Spoilt(f"voice at {DROWNED_DB:g} dB SNR", "voice", clean | drowned, no_voice)]


def _blurred(face: Picture) -> Picture:
    radius = BLUR * face.shape[0]
    return np.asarray(Image.fromarray(face).filter(ImageFilter.GaussianBlur(radius)))


def compare(
    draws: Sequence[Draw], clean: Probes, spoilt: Spoilt, rate: float
) -> dict[str, Any]:
    """Both as the device decides beside the other modality alone, over all draws: how often people
    are not named rightly, and what both add, with the paired 95 % interval over people.

    rate: the FPIR of each column's threshold on what is not spoilt.
    """
    right: dict[str, list[Any]] = {"both": [], "alone": []}
    given: dict[str, list[Any]] = {"both": [], "alone": []}
    people = [draw.people[draw.owners != NOBODY] for draw in draws]
    for draw in draws:
        thresholds = {column: outcome.threshold_at(rate)
                      for column, outcome in draw.outcomes(clean).items()}
        known = draw.owners != NOBODY
        for name, probes in (("both", spoilt.probes), ("alone", spoilt.without)):
            named = draw.named(draw.pairs, probes, thresholds)
            right[name].append((named == draw.owners)[known])
            given[name].append((named != NOBODY)[~known])
    used = [spoilt.modality in spoilt.probes.used(pair) for draw in draws for pair in draw.pairs]
    both, alone = (np.concatenate(right[name]).astype(np.float64) for name in right)
    gain = both - alone
    return {
        "other": "voice" if spoilt.modality == "face" else "face",
        "left_out": 1 - float(np.mean(used)),
        "fnir": {"both": 1 - float(both.mean()), "other": 1 - float(alone.mean())},
        "fpir": {"both": float(np.mean(np.concatenate(given["both"]))),
                 "other": float(np.mean(np.concatenate(given["alone"])))},
        "gain": float(gain.mean()), "interval": people_interval(gain, np.concatenate(people))}


def spoilt_table(content: Mapping[str, Any]) -> str:
    """A row for each way."""
    header = ["", "left out (%)", "FNIR (%): the other alone", "both", "gain (points)",
              "FPIR (%): the other alone", "both"]
    rows = [[name, percent(found["left_out"]),
             f"{percent(found['fnir']['other'])} ({found['other']})",
             percent(found["fnir"]["both"]),
             f"{100 * found['gain']:+.1f} ({100 * found['interval'][0]:+.1f} to "
             f"{100 * found['interval'][1]:+.1f})",
             percent(found["fpir"]["other"]), percent(found["fpir"]["both"])]
            for name, found in content.items()]
    return table(header, rows)
