"""Writes phone_vectors.json: what Python decides, for the phone's JavaScript to be held to.

`python -m tests.data.make_phone_vectors`. Faces and voices are synthetic, embeddings drawn. Arrays
are lists, or base64 where they are long; NaN and infinity, which JSON does not know, do not occur
but as null for a cosine that is not there.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_runtime.crop import DOWN, SIDE, cut, face_square
from edge_runtime.decide import Verdict, among_enrolled, among_trained
from edge_runtime.detect import Box
from edge_runtime.errors import GalleryError
from edge_runtime.evidence import Evidence, SteadyName
from edge_runtime.face import square_face
from edge_runtime.gallery.limits import COLUMNS, Limits, Odds
from edge_runtime.gallery.names import checked_name, name_key
from edge_runtime.gallery.samples import NewSample, check_agreement
from edge_runtime.gallery.store import Gallery
from edge_runtime.manifest import (
    FaceContract,
    Inputs,
    Manifest,
    NetworkFile,
    Scaling,
    ScoreScaling,
    Thresholds,
    VoiceContract,
)
from edge_runtime.people import MODALITIES, Modality
from edge_runtime.quality import crop_quality, sharpness
from edge_runtime.scoring import fuse
from edge_runtime.speech import is_clipped, snr_db
from edge_runtime.voice import SAMPLE_RATE, speech_window
from train.synthetic import face_picture
from train.synthetic.faces import Identity
from train.synthetic.voices import Speaker, speak

FILE = Path(__file__).with_name("phone_vectors.json")
DIM = 8
Array = npt.NDArray[Any]
Case = dict[str, Any]


def vectors(picture: Array, steps: Array) -> dict[str, Any]:
    """All cases, by rule. picture: RGB, uint8 [height, width, 3]; steps: sound, int8 [samples] in
    128ths."""
    rng = np.random.default_rng(20_261_125)
    return {"crop": _crop(picture), "sound": _sound(steps), "fuse": _fuse(rng),
            "trained": _trained(rng), "enrolled": _enrolled(rng), "evidence": _evidence(rng),
            "names": _names(), "agreement": _agreement(rng)}


def stored() -> tuple[dict[str, Any], Array, Array]:
    """The file's content, and the picture and sound that it was made from."""
    content = json.loads(FILE.read_text(encoding="utf-8"))
    picture, sound = content["crop"]["picture"], content["sound"]
    rgb = np.frombuffer(base64.b64decode(picture["rgb"]), np.uint8)
    return (content, rgb.reshape(picture["height"], picture["width"], 3),
            np.frombuffer(base64.b64decode(sound["samples"]), np.int8))


def _drawn_picture() -> Array:
    rng = np.random.default_rng(3)
    return face_picture(Identity.draw(rng), rng, 112)[:96]


def _spoken() -> Array:
    rng = np.random.default_rng(4)
    speech = speak(Speaker.draw(rng), rng)
    quiet = 0.004 * rng.standard_normal(SAMPLE_RATE)
    sound = np.concatenate([quiet, speech, quiet])[: 4 * SAMPLE_RATE]
    return np.clip(np.rint(128 * sound), -127, 127).astype(np.int8)


def unit(rows: Array) -> Array:
    """[..., dim] -> float32 of length 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)


def _encoded(array: Array) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _digest(array: Array) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def _crop(picture: Array) -> Case:
    cases = []
    for box, size in ((Box(20, 12, 61, 70), 48), (Box(-9, 40, 60, 60), 32),
                      (Box(30, 20, 25, 25), 64), (Box(70, 50, 55, 40), 64),
                      (Box(31, 22, 35, 36), 41), (Box(5, 5, 80, 80), 96)):
        square = face_square(box)
        crop = cut(picture, square)
        face = square_face(crop, 96).astype(np.float32) @ np.array([0.299, 0.587, 0.114],
                                                                   np.float32)
        cases.append({
            "box": {"left": box.left, "top": box.top, "width": box.width, "height": box.height},
            "square": {"left": square.left, "top": square.top, "side": square.side},
            "overhang": square.overhang(picture), "size": size,
            "face": _digest(square_face(crop, size)), "sharpness": sharpness(face),
            "flaws": {str(light): [flaw.reason for flaw in crop_quality(_lit(crop, light))]
                      for light in (0.15, 1.0, 9.0)}})
    whole = {str(size): _digest(square_face(picture, size)) for size in (64, 96, 128)}
    return {"picture": {"height": 96, "width": 112, "rgb": _encoded(picture)},
            "margin": {"side": SIDE, "down": DOWN}, "cases": cases, "whole": whole}


def _lit(picture: Array, light: float) -> Array:
    return np.clip(np.floor(picture * light), 0, 255).astype(np.uint8)


def _sound(steps: Array) -> Case:
    heard = steps.astype(np.float32) / np.float32(128)
    cases = []
    for begin, end, length, gain in ((0, 64_000, 41_312, 1.0), (0, 64_000, 16_000, 1.0),
                                     (777, 50_001, 9_999, 0.5), (8_000, 20_000, 41_312, 1.0),
                                     (30_000, 30_100, 480, 1.0), (0, 12_000, 6_000, 0.01),
                                     (0, 64_000, 32_000, 8.0)):
        part = np.clip(heard[begin:end] * np.float32(gain), -1, 1)
        window = speech_window(part, length)
        cases.append({"begin": begin, "end": end, "length": length, "gain": gain,
                      "window": _digest(window), "clipped": is_clipped(part),
                      "snr": snr_db(part)})
    return {"samples": _encoded(steps), "cases": cases}


def _scores(rng: np.random.Generator, people: int, sharp: float = 2.0) -> Array:
    powers = np.exp(sharp * rng.standard_normal(people))
    return np.asarray(powers / powers.sum(), np.float32)


def _scaling(rng: np.random.Generator) -> ScoreScaling:
    face, voice = (Scaling(temperature=float(t), weight=float(w))
                   for t, w in rng.uniform(0.2, 2, (2, 2)).round(3))
    return ScoreScaling(face=face, voice=voice)


def _fuse(rng: np.random.Generator) -> list[Case]:
    cases = []
    for given in ("face", "voice", "both") * 4:
        face = _scores(rng, 5) if given != "voice" else None
        voice = _scores(rng, 5, 20) if given != "face" else None
        scaling = _scaling(rng) if len(cases) >= 3 else None
        cases.append({"face": _listed(face), "voice": _listed(voice),
                      "scaling": msgspec.to_builtins(scaling),
                      "fused": _listed(fuse(face, voice, scaling))})
    return cases


def _listed(array: Array | None) -> list[float | None] | None:
    return None if array is None else [None if np.isnan(value) else float(value)
                                       for value in array]


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


def _judged(verdict: Verdict) -> Case:
    return {"person": verdict.person, "reason": verdict.reason, "names": list(verdict.names),
            "fused": _listed(verdict.scores["fused"]), "leftOut": list(verdict.left_out)}


def _trained(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(24):
        thresholds = Thresholds(face=0.7, voice=0.5, ensemble=0.6, false_accept_rate=0.05,
                                false_accept_bound=0.05) if number % 4 else None
        manifest = msgspec.structs.replace(
            _manifest(), thresholds=thresholds, score_scaling=_scaling(rng) if number % 3 else None)
        scores = {m: _scores(rng, 4) for m in MODALITIES if (number + 1) % 3 != MODALITIES.index(m)}
        cases.append({"manifest": {key: msgspec.to_builtins(getattr(manifest, key))
                                   for key in ("people", "score_scaling", "thresholds")},
                      "scores": {m: _listed(row) for m, row in scores.items()},
                      **_judged(among_trained(manifest, scores))})
    return cases


LIMITS = Limits(
    odds={"face": Odds({"face": 9.0}, -5.0), "voice": Odds({"voice": 7.0}, -4.0),
          "both": Odds({"face": 8.0, "voice": 6.0}, -8.0)},
    thresholds={"face": 1.0, "voice": 0.8, "both": 1.2}, false_accept_rate=0.05,
    false_accept_bound=dict.fromkeys(COLUMNS, 0.05), miss_rate=dict.fromkeys(COLUMNS, 0.0),
    people=3)


def _enrolled(rng: np.random.Generator) -> Case:
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
    with tempfile.TemporaryDirectory() as folder:
        cases = _searched(Path(folder), people, probes)
    return {"people": [{"name": person["name"], **{
        kind: {m: [_listed(row) for row in rows] for m, rows in person[kind].items()}
        for kind in ("samples", "rejected")}} for person in people],
        "limits": msgspec.to_builtins(LIMITS), "cases": cases}


def _searched(folder: Path, people: list[dict[str, Any]],
              probes: Sequence[dict[Modality, Array]]) -> list[Case]:
    os.environ["VISAVOX_DEVICE_KEY"] = base64.b64encode(bytes(32)).decode()
    with Gallery.open(folder / "gallery.db", _manifest(), mode="create") as gallery:
        cases = [{"limits": False, "people": 0, "embeddings": _rows(probes[0]), "doubtful": [],
                  **_judged(among_enrolled(gallery, probes[0]))}]
        for person in people:
            gallery.enroll(person["name"], _samples(person["samples"]), allow_duplicate=True)
            if person["rejected"]:
                gallery.reject(person["name"], _samples(person["rejected"]))
        for limits in (False, True):
            if limits:
                gallery.set_limits(LIMITS)
            cases += [{"limits": limits, "people": len(people), "embeddings": _rows(probe),
                       "doubtful": doubtful, **_judged(among_enrolled(gallery, probe, doubtful))}
                      for doubtful in ([], ["voice"]) for probe in probes
                      if set(doubtful) <= set(probe)]
    return cases


def _rows(probe: dict[Modality, Array]) -> Case:
    return {m: _listed(row) for m, row in probe.items()}


def _samples(found: dict[Modality, list[Array]]) -> list[NewSample]:
    return [NewSample(f"{m} {i}", m, row) for m, rows in found.items()
            for i, row in enumerate(rows)]


def _evidence(rng: np.random.Generator) -> Case:
    evidence, steady = Evidence(), SteadyName()
    steps: list[Case] = []
    time_s = 0.0
    people = (None, "anna", "anna", "anna", "ben", "anna", "ben", "ben", "ben", None, None)
    for number, pause_s in enumerate((0.3, 0.1, 0.3, 0.2, 4.0, 0.1, 6.0, 0.1, 0.3, 0.2, 5.1)):
        time_s += pause_s
        row = rng.standard_normal(3)
        modality = MODALITIES[number % 3 // 2]
        weight = 1 - number % 2 / 3
        if number < 9:
            evidence.add(modality, row, time_s, weight)
        if doubted := number == 9:
            steady.doubt()
        steps.append({"timeS": time_s, "modality": modality if number < 9 else None,
                      "row": _listed(row), "weight": weight, "doubted": doubted,
                      "person": people[number],
                      "means": {m: _listed(mean) for m, mean in evidence.means(time_s).items()},
                      "named": steady.update(people[number], time_s)})
    return {"steps": steps}


def _names() -> list[Case]:
    cases = []
    for name in ("Anna", "  Zoë ", "Zoe\u0308", "x" * 101, "---", "a/b", "a\\b", "a\u200bb", "a\nb",
                 "\u0645\u06cc\u200c\u0631", "\uff17", ""):
        try:
            cases.append({"name": name, "stored": checked_name(name)})
        except GalleryError:
            cases.append({"name": name, "stored": None})
    same = [{"one": one, "other": other, "same": name_key(one) == name_key(other)}
            for one, other in (("Anna", "ANNA"), ("Anna  B", "anna b"), ("\uff21nna", "anna"),
                               ("Zoë", "Zoe\u0308"), ("Zoë", "Zoe"))]
    return [*cases, *same]


def _agreement(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(16):
        centre = unit(rng.standard_normal(DIM))
        rows = [unit(centre + spread * unit(rng.standard_normal(DIM)))
                for spread in rng.uniform(0.1, 2.0, 2 + number % 4)]
        try:
            check_agreement([NewSample(str(i), "face", row) for i, row in enumerate(rows)])
            agree = True
        except GalleryError:
            agree = False
        cases.append({"rows": [_listed(row) for row in rows], "agree": agree})
    return cases


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(_drawn_picture(), _spoken())) + "\n", encoding="utf-8")
    print(f"{FILE}: {FILE.stat().st_size} bytes")
