"""Scores fused, and who is named, among people of the training and people enrolled."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import numpy as np

from edge_runtime.bundle.manifest import (
    FaceContract,
    Inputs,
    Manifest,
    NetworkFile,
    Scaling,
    ScoreScaling,
    TrainedThresholds,
    VoiceContract,
)
from edge_runtime.decision.decide import (
    COLUMNS,
    Decision,
    EnrolledThresholds,
    among_enrolled,
    among_trained,
)
from edge_runtime.decision.scoring import fuse
from edge_runtime.decision.similarity import LogOdds, Similarity
from edge_runtime.gallery.samples import NewSample
from edge_runtime.gallery.store import Gallery
from edge_runtime.modalities import MODALITIES, Modality
from edge_runtime.signals.voice import SAMPLE_RATE
from tests.data.phone_vectors.arrays import DIM, Array, Case, listed, unit


def _scores(rng: np.random.Generator, people: int, sharp: float = 2.0) -> Array:
    powers = np.exp(sharp * rng.standard_normal(people))
    return np.asarray(powers / powers.sum(), np.float32)


def _scaling(rng: np.random.Generator) -> ScoreScaling:
    face, voice = (Scaling(temperature=float(t), weight=float(w))
                   for t, w in rng.uniform(0.2, 2, (2, 2)).round(3))
    return ScoreScaling(face=face, voice=voice)


def fuse_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for given in ("face", "voice", "both") * 4:
        face = _scores(rng, 5) if given != "voice" else None
        voice = _scores(rng, 5, 20) if given != "face" else None
        scaling = _scaling(rng) if len(cases) >= 3 else None
        cases.append({"face": listed(face), "voice": listed(voice),
                      "scaling": msgspec.to_builtins(scaling),
                      "fused": listed(fuse(face, voice, scaling))})
    return cases


def _manifest() -> Manifest:
    """Of two small networks that are nowhere: the rules read no more than this of a bundle."""
    file = NetworkFile(file="x.tflite", sha256="0" * 64, bytes=0, gzip_bytes=0, embedding_dim=DIM,
                       xnnpack_partitions=None, max_abs_error=None, operations={})
    return Manifest(
        format=1, people=["anna", "ben", "cleo", "dora"],
        inputs=Inputs(face=FaceContract(size=64), voice=VoiceContract(
            samples=41_312, sample_rate=SAMPLE_RATE)),
        family="drawn", variant="drawn", spec={}, recipe="float32", folded=True, samples=None,
        float32_layers=None, score_scaling=None, thresholds=None,
        files={"face": file, "voice": file}, accuracy=None, certified=True, reason="drawn",
        warnings=[], interpreters=[], versions={}, seed=0, commit=None)


def _judged(decision: Decision) -> Case:
    return {"person": decision.person, "reason": decision.reason, "names": list(decision.people),
            "fused": listed(decision.scores["fused"]), "leftOut": list(decision.left_out),
            "threshold": decision.threshold}


def trained_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(24):
        thresholds = TrainedThresholds(face=0.7, voice=0.5, ensemble=0.6, false_accept_rate=0.05,
                                false_accept_bound=0.05) if number % 4 else None
        manifest = msgspec.structs.replace(
            _manifest(), thresholds=thresholds, score_scaling=_scaling(rng) if number % 3 else None)
        scores = {m: _scores(rng, 4) for m in MODALITIES if (number + 1) % 3 != MODALITIES.index(m)}
        cases.append({"manifest": {key: msgspec.to_builtins(getattr(manifest, key))
                                   for key in ("people", "score_scaling", "thresholds")},
                      "scores": {m: listed(row) for m, row in scores.items()},
                      **_judged(among_trained(manifest, scores))})
    return cases


THRESHOLDS = EnrolledThresholds(
    similarity=Similarity(LogOdds({"face": 9.0}, -5.0), LogOdds({"voice": 7.0}, -4.0),
                          LogOdds({"face": 8.0, "voice": 6.0}, -8.0)),
    least={"face": 1.0, "voice": 0.8, "both": 1.2}, false_accept_rate=0.05,
    false_accept_bound=dict.fromkeys(COLUMNS, 0.05), miss_rate=dict.fromkeys(COLUMNS, 0.0),
    people=3)


def enrolled_cases(rng: np.random.Generator) -> Case:
    """Anna, Ben by his face alone, Cleo, and a "not this person" sample of hers."""
    centres = {m: unit(rng.standard_normal((3, DIM))) for m in MODALITIES}

    def near(modality: Modality, who: int, spread: float = 0.5) -> Array:
        return unit(centres[modality][who] + spread * unit(rng.standard_normal(DIM)))

    people: list[dict[str, Any]] = [
        {"name": name, "samples": {m: [near(m, who) for _ in range(3)] for m in modalities},
         "rejected": {}}
        for who, (name, modalities) in enumerate((("Anna", MODALITIES), ("Ben", ("face",)),
                                                  ("Cleo", MODALITIES)))]
    people[2]["rejected"] = {"face": [near("face", 2, 1.0)]}
    probes: list[dict[Modality, Array]] = [
        {m: near(m, who, spread) for m in modalities}
        for modalities in (MODALITIES, ("face",), ("voice",)) for who in range(3)
        for spread in (0.3, 0.8, 2.0)]
    probes += [{"face": near("face", a, 0.3), "voice": near("voice", b, 0.3)}
               for a, b in ((0, 2), (2, 0), (1, 0), (1, 2))]
    probes.append({"face": people[2]["rejected"]["face"][0], "voice": near("voice", 2)})
    key = {"VISAVOX_DEVICE_KEY": base64.b64encode(bytes(32)).decode()}
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, key):
        cases = _searched(Path(folder), people, probes)
    return {"people": [{"name": person["name"], **{
        kind: {m: [listed(row) for row in rows] for m, rows in person[kind].items()}
        for kind in ("samples", "rejected")}} for person in people],
        "limits": msgspec.to_builtins(THRESHOLDS), "cases": cases}


def _searched(folder: Path, people: list[dict[str, Any]],
              probes: Sequence[dict[Modality, Array]]) -> list[Case]:
    with Gallery.open(folder / "gallery.db", _manifest(), mode="create") as gallery:
        cases = [{"limits": False, "people": 0, "embeddings": _rows(probes[0]), "doubtful": [],
                  **_judged(among_enrolled(gallery.candidates(probes[0])))}]
        for person in people:
            gallery.enroll(person["name"], _samples(person["samples"]), allow_duplicate=True)
            if person["rejected"]:
                gallery.reject(person["name"], _samples(person["rejected"]))
        for limits in (False, True):
            if limits:
                gallery.set_thresholds(THRESHOLDS)
            cases += [{"limits": limits, "people": len(people), "embeddings": _rows(probe),
                       "doubtful": doubtful,
                       **_judged(among_enrolled(gallery.candidates(probe), doubtful))}
                      for doubtful in ([], ["voice"]) for probe in probes
                      if set(doubtful) <= set(probe)]
    return cases


def _rows(probe: dict[Modality, Array]) -> Case:
    return {m: listed(row) for m, row in probe.items()}


def _samples(found: dict[Modality, list[Array]]) -> list[NewSample]:
    return [NewSample(f"{m} {i}", m, row) for m, rows in found.items()
            for i, row in enumerate(rows)]
