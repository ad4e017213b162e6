"""People whom training has not seen: half of them enrolled from few files, the others strangers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recognition.people import Draw, Probes, draw_people, probe
from benchmarks.recognition.replay import measure_replay
from benchmarks.recognition.spoilt import compare, spoil, spoilt_table
from edge_runtime.console.output import percent, say_problems, table
from edge_runtime.dataset.collection import Collection, read_collection
from edge_runtime.dataset.people import Sample, index_people, test_pairs
from edge_runtime.decision.decide import COLUMNS
from edge_runtime.decision.identify import Identifier
from edge_runtime.errors import PeopleError
from edge_runtime.evaluation.accuracy import Pair, noisy
from edge_runtime.evaluation.open_set import ENROLLED_FROM, NOBODY, OpenSet, embed_all
from edge_runtime.evaluation.thresholds import draw
from edge_runtime.signals.detection import Picture
from edge_runtime.signals.face import read_face, square_face
from edge_runtime.signals.voice import Sound, pink_noise, read_clip

RATES = (0.1, 0.05, 0.01)  # FPIR
LINE = 0.05  # of them, for what is measured at one
MIXED = 1000  # pairs of one person's face with another's voice
DRAWS = 16  # of who is enrolled, to see what hangs on that


def measure_open_set(
    bundle: Path, data: Path, *, strangers: Path | None = None, count: int = ENROLLED_FROM,
    seed: int = 0, noises: Sequence[Sound] = (), snr_db: float | None = None,
    plots: Path | None = None,
) -> dict[str, Any]:
    """FNIR at given FPIR, EER, mixed pairs, what a spoilt modality costs, and replay.

    data: people on disk; those whom the bundle does not know are halved by `seed` into enrolled
    (from `count` faces and clips each) and strangers, to whom the split `stranger` is added, and
    that of the folder `strangers`. noises: in which clips are tried at `snr_db`, and drowned (pink
    noise unless given). plots: a folder for pictures. PeopleError where there are fewer than 4
    people whom the bundle does not know, or no strangers in their folder.
    """
    identifier = Identifier.load(bundle, allow_uncertified=True)
    collection = _unseen(identifier, data)
    trials = embed_all(identifier, collection)
    tried = _tried(identifier, collection, strangers)
    clean = probe(identifier, tried.faces, tried.clips)
    heard = clean
    if snr_db is not None:
        heard |= probe(identifier, {}, {clip: noisy(clip, sound, noises, snr_db)
                                        for clip, sound in tried.clips.items()})
    draws = [draw_people(trials, tried.strangers, count=count, seed=seed + i)
             for i in range(DRAWS)]
    first = draws[0]
    outcomes, known = first.outcomes(heard), first.owners != NOBODY
    if plots:
        draw(plots, outcomes, _at(outcomes, LINE))
    spoilt = replay = None
    if snr_db is None:
        drown = noises or [pink_noise(np.random.default_rng(0))]
        spoilt = {way.name: compare(draws, clean, way, LINE)
                  for way in spoil(identifier, clean, tried.faces, tried.clips, drown)}
        replay = measure_replay(identifier, collection, first, _at(outcomes, LINE), count)
    return {
        "bundle": bundle.name, "data": collection.name, "recipe": identifier.manifest.recipe,
        "more_strangers": strangers and strangers.resolve().name,
        "snr_db": snr_db, "enrolled": len(first.enrolled), "files_each": count, "seed": seed,
        "strangers": len(set(first.people[~known].tolist())),
        "probes": {"enrolled": int(known.sum()), "strangers": int((~known).sum())},
        "columns": {column: _figures(result) for column, result in outcomes.items()},
        "decided": _decided(first, heard), "draws": _over(draws, heard), "spoilt": spoilt,
        "replay": replay}


def _unseen(identifier: Identifier, data: Path) -> Collection:
    face = identifier.manifest.inputs.face
    assert face is not None
    people = index_people(data)
    people = people.without(s for s in people.samples if s.person in identifier.manifest.people)
    if len(people.names) < 4:
        raise PeopleError(f"{data}: expected at least 4 people whom the bundle does not know, "
                          f"found {len(people.names)}; train with --leave-out-people")
    collection = read_collection(people, face.size)
    say_problems(collection.problems)
    return collection


@dataclass(frozen=True)
class Tried:
    """Contents of the probes' files, and pairs of those who are nobody enrolled in any draw."""

    faces: Mapping[Sample, Picture]
    clips: Mapping[Sample, Sound]
    strangers: Sequence[Pair]


def _tried(identifier: Identifier, collection: Collection, folder: Path | None) -> Tried:
    face = identifier.manifest.inputs.face
    assert face is not None
    files = [s for s in collection.people.samples if s.split in ("test", "stranger")]
    more = _strangers(folder, face.size) if folder else Tried({}, {}, [])
    return Tried(
        {s: collection.faces[s] for s in files if s.modality == "face"} | dict(more.faces),
        {s: collection.clips[s] for s in files if s.modality == "voice"} | dict(more.clips),
        [*test_pairs(collection.people, "stranger"), *more.strangers])


def _strangers(folder: Path, size: int) -> Tried:
    """Of a folder's split `stranger`, people named after the folder: another may have the same."""
    people = index_people(folder)
    say_problems(people.problems)
    paths = {replace(s, person=f"{folder}/{s.person}", path=f"{folder}/{s.path}"): folder / s.path
             for s in people.samples if s.split == "stranger"}
    pairs = test_pairs(replace(people, samples=tuple(paths)), "stranger")
    if not pairs:
        raise PeopleError(f"{folder}: expected faces and clips of the split stranger, found none; "
                          "name them in its split.csv")
    return Tried({s: square_face(read_face(file), size) for s, file in paths.items()
                  if s.modality == "face"},
                 {s: read_clip(file) for s, file in paths.items() if s.modality == "voice"}, pairs)


def _figures(result: OpenSet) -> dict[str, Any]:
    at = {}
    for rate in RATES:
        threshold = result.threshold_at(rate)
        at[f"{100 * rate:g} %"] = {"fnir": result.fnir(threshold), "fpir": result.fpir(threshold),
                                   "fpir_bound": result.fpir_bound(threshold)}
    return {"equal_error_rate": result.equal_error_rate(), "at_fpir": at,
            "curve": [(round(fpir, 4), round(fnir, 4)) for fpir, fnir in result.curve(50)]}


def _at(outcomes: Mapping[str, OpenSet], rate: float) -> dict[str, float]:
    """Thresholds by column."""
    return {column: outcome.threshold_at(rate) for column, outcome in outcomes.items()}


def _decided(draw: Draw, heard: Probes) -> dict[str, Any]:
    """At each rate's thresholds as the device decides, where one modality may contradict the other
    and what is not good enough is left out; mixed: the share of MIXED pairs that get any name."""
    outcomes, known = draw.outcomes(heard), draw.owners != NOBODY
    mixed, found = draw.mixed(MIXED), {}
    for rate in RATES:
        thresholds = _at(outcomes, rate)
        named = draw.named(draw.pairs, heard, thresholds)
        found[f"{100 * rate:g} %"] = {
            "fnir": float(np.mean((named != draw.owners)[known])),
            "fpir": float(np.mean((named != NOBODY)[~known])),
            "mixed": float(np.mean(draw.named(mixed, heard, thresholds) != NOBODY))}
    return {"pairs": MIXED, "at_fpir": found}


def _over(draws: Sequence[Draw], heard: Probes) -> dict[str, Any]:
    """Means over draws of who is enrolled, and the least and the most of what is decided."""
    rate = f"{100 * LINE:g} %"
    columns = [{column: _figures(result) for column, result in draw.outcomes(heard).items()}
               for draw in draws]
    decided = [_decided(draw, heard)["at_fpir"][rate] for draw in draws]
    return {
        "count": len(draws), "fpir": LINE,
        "equal_error_rate": {c: float(np.mean([each[c]["equal_error_rate"] for each in columns]))
                             for c in COLUMNS},
        "fnir": {c: float(np.mean([each[c]["at_fpir"][rate]["fnir"] for each in columns]))
                 for c in COLUMNS},
        "decided": {key: {"mean": float(np.mean([each[key] for each in decided])),
                          "least": min(each[key] for each in decided),
                          "most": max(each[key] for each in decided)}
                    for key in ("fnir", "fpir", "mixed")}}


def open_set_table(content: Mapping[str, Any]) -> str:
    """A row for each column, and one for what the device decides."""
    rates = [f"{100 * rate:g} %" for rate in RATES]
    header = ["", "EER (%)", *(f"FNIR (%) at FPIR {rate}" for rate in rates),
              f"EER, {content['draws']['count']} draws", f"FNIR at {100 * LINE:g} %"]
    means = content["draws"]
    rows = [[column, percent(found["equal_error_rate"]),
             *(f"{percent(at['fnir'])} (below {percent(at['fpir_bound'])})"
               for at in found["at_fpir"].values()),
             percent(means["equal_error_rate"][column]), percent(means["fnir"][column])]
            for column, found in content["columns"].items()]
    rows.append(["as decided", "-",
                 *(percent(content["decided"]["at_fpir"][rate]["fnir"]) for rate in rates),
                 "-", percent(means["decided"]["fnir"]["mean"])])
    return table(header, rows)


def open_set_text(content: Mapping[str, Any]) -> str:
    """Whom it is measured on, both tables, and how often two people pass for one."""
    noise = "clean" if content["snr_db"] is None else f"noise at {content['snr_db']:g} dB SNR"
    more = (f", those of {content['more_strangers']} among them" if content["more_strangers"]
            else "")
    mixed, over = (content["decided"]["at_fpir"][f"{100 * LINE:g} %"]["mixed"],
                   content["draws"]["decided"]["mixed"])
    lines = [
        f"{content['data']}, {noise}: {content['enrolled']} people enrolled from "
        f"{content['files_each']} faces and clips each ({content['probes']['enrolled']} probes), "
        f"{content['strangers']} strangers ({content['probes']['strangers']} probes){more}, none "
        "of whom training has seen. One enrolled person's face with another's voice is given a "
        f"name in {percent(mixed)} % of {content['decided']['pairs']} pairs, at an FPIR of "
        f"{100 * LINE:g} %; over {content['draws']['count']} draws of who is enrolled in "
        f"{percent(over['mean'])} % ({percent(over['least'])} to {percent(over['most'])}).",
        "", open_set_table(content)]
    if replay := content["replay"]:
        lines[0] += (f" A still picture with a recorded clip of the same person passes for them in "
                     f"{percent(replay['accepted'])} % of {replay['pairs']} trials.")
    if content["spoilt"]:
        lines += ["", "With one modality spoilt, over the same draws, at thresholds of clean "
                  f"probes at an FPIR of {100 * LINE:g} %:", "", spoilt_table(content["spoilt"])]
    return "\n".join(lines)
