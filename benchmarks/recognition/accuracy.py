"""How well a bundle tells people apart on this device's interpreter, and what spoils it.

Test pairs are scored clean, with noise in the clips, and with blurred and dark faces, each against
the number of people there are to choose from. The result is a table, and pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.recognition.open_set import measure_open_set, open_set_table
from edge_runtime.bundle.networks import Bundle, Network, chosen_interpreter, load_bundle
from edge_runtime.console.output import percent, say_problems, table, with_progress
from edge_runtime.dataset.collection import Collection, read_collection
from edge_runtime.dataset.people import Sample, index_people, test_pairs
from edge_runtime.errors import PeopleError, UsageError
from edge_runtime.evaluation.accuracy import (
    PairScores,
    Scores,
    fused_pairs,
    noisy,
    people_interval,
    score_pairs,
)
from edge_runtime.signals.face import face_input
from edge_runtime.signals.voice import Sound, voice_input

NUM_PEOPLE = (10, 30, 60, 95)
SUBSETS = 10  # seeded draws of so many people, for all numbers but the whole
Face = npt.NDArray[np.uint8]
Files = Mapping[Sample, npt.NDArray[Any]]


@dataclass(frozen=True)
class Condition:
    """What is done to test files. blur: sigma over the side of the face; light: share of it that
    is left; snr_db: of speech over noise."""

    name: str
    blur: float = 0.0
    light: float = 1.0
    snr_db: float | None = None


CLEAN = Condition("clean")
NOISY = tuple(Condition(f"noise at {db} dB", snr_db=db) for db in (20, 10, 5, 0))
BLURRED = tuple(Condition(f"blur of {100 * blur:g} %", blur=blur) for blur in (0.005, 0.01, 0.02))
DARK = tuple(Condition(f"1/{part} of the light", light=1 / part) for part in (2, 4, 8))


def measure_accuracy(
    path: Path, data: Path, *, noises: Sequence[Sound] = (),
    num_people: Sequence[int] = NUM_PEOPLE, seed: int = 0,
) -> dict[str, Any]:
    """Accuracy by column with intervals over people: {"rows": [{"condition", "people", "accuracy",
    "interval", ...}], "open_set": {...} or null, ...}.

    data: people on disk; those whom the bundle does not know are left to the open set. The noise
    ladder takes `noises`. Raises PeopleError where no pair of the bundle's people is there.
    """
    bundle = load_bundle(path, allow_uncertified=True)
    manifest = bundle.manifest
    size = manifest.inputs.face.size if manifest.inputs.face else 128
    people = index_people(data, manifest.seed)
    collection = read_collection(people, size, progress=lambda files: with_progress(
        list(files), "reading"))
    say_problems(collection.problems)
    names = set(collection.people.names) & set(manifest.people)
    pairs = [pair for pair in test_pairs(collection.people) if pair[0].person in names]
    if not pairs:
        raise PeopleError(f"{data}: expected test pairs of the bundle's people, found none of "
                          f"{len(manifest.people)}; name the people it was trained on")
    scorer = _Scorer(bundle, collection, noises)
    ladder = [CLEAN, *(NOISY if noises else ()), *BLURRED, *DARK]
    if len(manifest.files) == 1 and "face" in manifest.files:
        ladder = [condition for condition in ladder if condition.snr_db is None]
    rows = []
    for condition in with_progress(ladder, "conditions"):
        scores = scorer.score(pairs, condition)
        rows += [_row(scores, condition, count, seed)
                 for count in _counts(num_people, len(names))]
    open_set, reason = _open_set(path, data, collection)
    return {
        "bundle": path.name, "family": manifest.family, "recipe": manifest.recipe,
        "data": collection.name, "data_digest": collection.digest,
        "synthetic": manifest.accuracy.synthetic if manifest.accuracy else None,
        "scaled": manifest.score_scaling is not None, "people": len(names), "pairs": len(pairs),
        "subsets": SUBSETS, "seed": seed, "interpreter": str(chosen_interpreter()),
        "left_out": len(collection.problems), "rows": rows, "open_set": open_set,
        "open_set_reason": reason}


def _counts(wanted: Sequence[int], there: int) -> list[int]:
    return sorted({count for count in wanted if count < there} | {there})


class _Scorer:
    """Runs a bundle's networks over files as they are and spoilt, none twice."""

    def __init__(self, bundle: Bundle, collection: Collection, noises: Sequence[Sound]) -> None:
        self._bundle, self._collection, self._noises = bundle, collection, noises
        self._networks = bundle.networks()
        self._clean: dict[str, dict[Sample, Scores]] = {}

    def score(
        self, pairs: Sequence[tuple[Sample, Sample]], condition: Condition
    ) -> PairScores:
        names, scaling = self._bundle.manifest.people, self._bundle.manifest.score_scaling
        faces = {face: self._face(face, condition) for face, _ in pairs}
        clips = {clip: self._clip(clip, condition) for _, clip in pairs}
        if "fused" in self._networks:
            run = self._networks["fused"].run
            return fused_pairs(pairs, names, np.stack([
                run(face=faces[face], voice=clips[clip]).scores for face, clip in pairs]))
        spoilt = "voice" if condition.snr_db is not None else "face"
        found = {}
        for modality, files in (("face", faces), ("voice", clips)):
            kept = self._clean.get(modality)
            if kept is None or modality == spoilt:  # the first condition of a ladder is clean
                kept = dict(_run_all(self._networks[modality], modality, files))
                self._clean.setdefault(modality, kept)
            found[modality] = kept
        return score_pairs(pairs, names, found["face"], found["voice"], scaling)

    def _face(self, sample: Sample, condition: Condition) -> npt.NDArray[np.float32]:
        return face_input(dimmed(blurred(self._collection.faces[sample], condition.blur),
                                 condition.light))

    def _clip(self, sample: Sample, condition: Condition) -> npt.NDArray[np.float32]:
        clip = self._collection.clips[sample]
        if condition.snr_db is not None:
            clip = noisy(sample, clip, self._noises, condition.snr_db)
        return voice_input(clip)


def _run_all(network: Network, name: str, files: Files) -> Iterator[tuple[Sample, Scores]]:
    for sample, value in files.items():
        yield sample, network.run(**{name: value}).scores


def blurred(face: Face, share: float) -> Face:
    """By a Gaussian with a sigma of this share of the side: uint8 [side, side, 3] of both."""
    if not share:
        return face
    from PIL import Image, ImageFilter

    blur = ImageFilter.GaussianBlur(share * len(face))
    return np.asarray(Image.fromarray(face).filter(blur))


def dimmed(face: Face, light: float) -> Face:
    """With this share of the light, rounded to 8 bits again, as a camera's own dark picture is."""
    return face if light == 1 else np.round(light * face).astype(np.uint8)


def _row(scores: PairScores, condition: Condition, count: int, seed: int) -> dict[str, Any]:
    """Among `count` of the people: all, or seeded subsets with every pair of theirs."""
    there = np.unique(scores.labels)
    draws = [there] if count == len(there) else [
        np.random.default_rng([seed, draw]).permutation(there)[:count] for draw in range(SUBSETS)]
    parts = [_among(scores, np.sort(chosen)) for chosen in draws]
    people = np.concatenate([labels for labels, _ in parts])
    accuracy, interval = {}, {}
    for column in scores.columns:
        correct = np.concatenate([found[column] for _, found in parts]).astype(np.float64)
        accuracy[column] = round(float(correct.mean()), 4)
        low, high = people_interval(correct, people)
        interval[column] = (round(low, 4), round(high, 4))
    return {"condition": condition.name, "blur": condition.blur, "light": condition.light,
            "snr_db": condition.snr_db, "people": count, "accuracy": accuracy,
            "interval": interval}


def _among(
    scores: PairScores, chosen: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[np.bool_]]]:
    """Whose the pairs of the chosen people are, and which are right among these people alone."""
    rows = np.isin(scores.labels, chosen)
    labels = scores.labels[rows]
    columns = {column: values[np.ix_(rows, chosen)] for column, values in scores.columns.items()}
    pairs = [pair for pair, kept in zip(scores.pairs, rows, strict=True) if kept]
    part = replace(scores, pairs=pairs, labels=np.searchsorted(chosen, labels), columns=columns)
    return labels, {column: part.correct(column) for column in columns}


def _open_set(
    path: Path, data: Path, collection: Collection
) -> tuple[dict[str, Any] | None, str | None]:
    """People whom the bundle does not know, where there are enough of them; else the reason."""
    known = load_bundle(path, allow_uncertified=True).manifest.people
    if not set(collection.people.names) - set(known):
        return None, "the bundle was trained on everybody there"
    try:
        return measure_open_set(path, data), None
    except PeopleError as error:
        return None, str(error).partition(": ")[2]


Row = Mapping[str, Any]


def ladder_tables(content: Mapping[str, Any]) -> str:
    """A row for each condition: every column among all people, the last also among fewer."""
    rows: Sequence[Row] = content["rows"]
    columns = list(rows[0]["accuracy"])
    fewer = sorted({row["people"] for row in rows} - {content["people"]})
    by = {(row["condition"], row["people"]): row for row in rows}
    header = ["test accuracy in %", *columns, *(f"{columns[-1]} among {n}" for n in fewer)]
    cells = []
    for condition in dict.fromkeys(row["condition"] for row in rows):
        whole = by[condition, content["people"]]
        cells.append([condition, *(_with_interval(whole, column) for column in columns),
                      *(_with_interval(by[condition, n], columns[-1]) for n in fewer)])
    mark = " (synthetic people)" if content["synthetic"] else ""
    subsets = (f"; fewer people: the mean of {content['subsets']} draws of so many" if fewer
               else "")
    head = (f"{content['data']}{mark}, {content['recipe']}: {content['pairs']} pairs of "
            f"{content['people']} people, {content['interpreter']}, in brackets the 95 % interval "
            f"over people{subsets}.")
    unseen = content["open_set"]
    open_set = (f"\n\nOf people whom training has not seen, {unseen['enrolled']} enrolled from "
                f"{unseen['files_each']} faces and clips each and {unseen['strangers']} "
                f"strangers:\n\n{open_set_table(unseen)}" if unseen
                else f"\n\nOpen set: {content['open_set_reason']}.")
    return f"{head}\n\n{table(header, cells)}{open_set}"


def _with_interval(row: Row, column: str) -> str:
    low, high = row["interval"][column]
    return f"{percent(row['accuracy'][column])} ({percent(low)} to {percent(high)})"


def draw_ladders(folder: Path, content: Mapping[str, Any]) -> None:
    """noise.png, blur.png and light.png: accuracy against what spoils it, and people.png: against
    the number of people."""
    pyplot = _pyplot()
    folder.mkdir(parents=True, exist_ok=True)
    rows: Sequence[Row] = content["rows"]
    whole = [row for row in rows if row["people"] == content["people"]]
    clean = [row for row in rows if row["condition"] == "clean"]
    for name, label, chosen in (
            ("noise", "speech over noise (dB)", [(row["snr_db"], row) for row in whole
                                                 if row["snr_db"] is not None]),
            ("blur", "blur (sigma in % of the face's side)",
             [(100 * row["blur"], row) for row in whole if row["blur"] or row in clean]),
            ("light", "light that is left (%)",
             [(100 * row["light"], row) for row in whole if row["light"] < 1 or row in clean]),
            ("people", "people to choose from", [(row["people"], row) for row in clean])):
        if not chosen:
            continue
        figure, axis = pyplot.subplots(figsize=(6, 4), layout="constrained")
        for column in chosen[0][1]["accuracy"]:
            points = [100 * row["accuracy"][column] for _, row in chosen]
            spread = [[100 * max(side, 0) for side in sides] for sides in zip(*(
                (row["accuracy"][column] - row["interval"][column][0],
                 row["interval"][column][1] - row["accuracy"][column]) for _, row in chosen),
                strict=True)]
            axis.errorbar([x for x, _ in chosen], points, yerr=spread, fmt="o-", capsize=3,
                          label=column)
        axis.set(xlabel=label, ylabel="test accuracy (%)",
                 title=f"{content['data']}, {content['recipe']}")
        axis.legend()
        axis.grid(alpha=0.3)
        figure.savefig(folder / f"{name}.png", dpi=120)
        pyplot.close(figure)


def _pyplot() -> Any:
    try:
        import matplotlib
    except ModuleNotFoundError:
        raise UsageError("--plots needs matplotlib, found none; pip install matplotlib") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
