"""From when on somebody is named: thresholds for a wanted rate of strangers who get a name.

For people enrolled, everybody in a folder of people is tried as enrolled (their test files against
all) and as a stranger (the same files against all others), and whoever is in the split `stranger`
as well. For people of the training their test files are tried, and as strangers' all files of
everybody else in the folder. Pictures show the trade-off of both errors, and the scores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.bundle.manifest import TrainedThresholds
from edge_runtime.dataset.collection import Collection, read_collection
from edge_runtime.dataset.people import SPLITS, index_people, test_pairs
from edge_runtime.decision.decide import BOTH, COLUMNS, EnrolledThresholds
from edge_runtime.decision.identify import Identifier
from edge_runtime.decision.scoring import fuse
from edge_runtime.decision.similarity import Array, Similarity
from edge_runtime.errors import PeopleError, UsageError
from edge_runtime.evaluation.accuracy import Pair
from edge_runtime.evaluation.open_set import NOBODY, OpenSet, cosines_of, embed_all, open_set
from edge_runtime.modalities import MODALITIES, Modality

Outcomes = Mapping[str, OpenSet]
"""By column of COLUMNS."""
Report = Callable[[Sequence[str]], object]


def measure_enrolled(
    identifier: Identifier, root: Path, rate: float, report: Report = list
) -> tuple[EnrolledThresholds, Outcomes]:
    """Thresholds at which at most a share `rate` of strangers gets a name, with 95 % confidence.

    root: people whom the network was not trained on, or it looks better than it is. report: is
    told what was left out. PeopleError where they are too few to say.
    """
    collection = _read(identifier, root, rate)
    report(collection.problems)
    _check_unknown(identifier, root, collection.people.names)
    trials = embed_all(identifier, collection)
    names = list(collection.people.names)
    pairs = test_pairs(collection.people) + test_pairs(collection.people, "stranger")
    similarity = trials.similarity(names)
    cosines = cosines_of(pairs, trials.templates(names), trials.clean)
    owners = np.array([names.index(f.person) if f.person in names else NOBODY for f, _ in pairs])
    _, people = np.unique([face.person for face, _ in pairs], return_inverse=True)
    outcomes = {column: open_set(similarity.log_odds({m: cosines[m] for m in modalities},
                                                     contradict=()),
                                 owners, people, leave_one_out=True)
                for column, modalities in COLUMNS.items()}
    decided = outcomes | {BOTH: open_set(similarity.log_odds(cosines), owners, people)}
    return _enrolled(root, similarity, outcomes, decided, rate, len(names)), outcomes


def measure_trained(
    identifier: Identifier, root: Path, rate: float, report: Report = list
) -> tuple[TrainedThresholds, Outcomes]:
    """The same for the scores of people of the training, for the bundle's manifest.

    root: people of the training with test files, and others. PeopleError where one of both is
    missing, or there are too few to say.
    """
    collection = _read(identifier, root, rate)
    report(collection.problems)
    names = identifier.manifest.people
    pairs = [pair for pair in test_pairs(collection.people) if pair[0].person in names]
    strangers = [pair for split in SPLITS for pair in test_pairs(collection.people, split)
                 if pair[0].person not in names]
    for found, who in ((pairs, "people of the training with test files"),
                       (strangers, "people whom the network was not trained on")):
        if not found:
            raise PeopleError(f"{root}: expected {who}, with faces and clips, found none; "
                              "thresholds keep both apart")
    scores = _pair_scores(identifier, collection, pairs + strangers)
    owners = np.array([names.index(face.person) for face, _ in pairs] + [NOBODY] * len(strangers))
    _, people = np.unique([face.person for face, _ in pairs + strangers], return_inverse=True)
    outcomes = {column: open_set(found, owners, people) for column, found in scores.items()}
    chosen = _chosen(root, outcomes, rate)
    return TrainedThresholds(
        face=min(chosen["face"], 1.0), voice=min(chosen["voice"], 1.0),
        ensemble=min(chosen[BOTH], 1.0), false_accept_rate=rate,
        false_accept_bound=max(outcome.fpir_bound(chosen[column])
                               for column, outcome in outcomes.items())), outcomes


def _read(identifier: Identifier, root: Path, rate: float) -> Collection:
    if set(identifier.manifest.files) != set(MODALITIES):
        raise UsageError("expected a bundle of a pair, found one fused network; thresholds are for "
                         "a face, a voice and both")
    if not 0 < rate < 1:
        raise UsageError(f"--false-accept-rate expects a share between 0 and 1, found {rate:g}")
    face = identifier.manifest.inputs.face
    assert face is not None
    return read_collection(index_people(root), face.size)


def _pair_scores(
    identifier: Identifier, collection: Collection, pairs: Sequence[Pair]
) -> dict[str, Array]:
    """[pairs, people] of a face alone, a voice alone, and both, each as a decision is made."""
    faces = {face: identifier.identify(face=collection.faces[face]).scores
             for face in {face for face, _ in pairs}}
    clips = {clip: identifier.identify(voice=collection.clips[clip]).scores
             for clip in {clip for _, clip in pairs}}
    both = fuse(np.stack([faces[face]["face"] for face, _ in pairs]),
                np.stack([clips[clip]["voice"] for _, clip in pairs]),
                identifier.manifest.score_scaling)
    return {"face": np.stack([faces[face]["fused"] for face, _ in pairs]),
            "voice": np.stack([clips[clip]["fused"] for _, clip in pairs]), BOTH: both}


def _check_unknown(identifier: Identifier, root: Path, names: tuple[str, ...]) -> None:
    if known := sorted(set(names) & set(identifier.manifest.people)):
        raise PeopleError(f"{root}: {len(known)} people are those of the training ({known[0]}, "
                          "...), whom the network tells apart better than anybody enrolled later; "
                          "name other people")


def _enrolled(
    root: Path, similarity: Similarity, outcomes: Outcomes, decided: Outcomes, rate: float,
    people: int,
) -> EnrolledThresholds:
    """decided: outcomes with what one modality contradicts, which costs names."""
    least = _chosen(root, outcomes, rate)
    return EnrolledThresholds(
        similarity=similarity, least=least, false_accept_rate=rate, people=people,
        equal_error_rate={c: outcome.equal_error_rate() for c, outcome in outcomes.items()},
        false_accept_bound={column: outcome.fpir_bound(least[column])
                            for column, outcome in outcomes.items()},
        miss_rate={column: outcome.fnir(least[column])
                   for column, outcome in decided.items()})


def _chosen(root: Path, outcomes: Outcomes, rate: float) -> dict[str, float]:
    thresholds: dict[str, float] = {}
    for column, outcome in outcomes.items():
        found = outcome.threshold_within(rate)
        if found is None:
            least = outcome.fpir_bound(np.inf)
            raise PeopleError(
                f"{root}: {outcome.impostor.size} trials of strangers are too few to keep their "
                f"false accepts under {100 * rate:g} % by {column}: with none accepted they are "
                f"below {100 * least:.2g} % at best; give more people or files, or a higher "
                "--false-accept-rate")
        thresholds[column] = found
    return thresholds


def lookalikes(
    names: Sequence[str], templates: Mapping[Modality, Array], thresholds: EnrolledThresholds
) -> list[tuple[str, str, float]]:
    """Enrolled people who may be taken for each other: pairs of names, the most alike first, whose
    templates' log-odds reach the threshold of both modalities. templates: see Gallery.templates."""
    found = []
    for i, name in enumerate(names):
        cosines: dict[Modality, np.ndarray] = {m: rows @ rows[i] for m, rows in templates.items()}
        for found_cosines in cosines.values():
            found_cosines[i] = np.nan  # everybody is most like themselves
        odds = thresholds.similarity.log_odds(cosines)
        found += [(name, names[k], float(odds[k])) for k in range(i + 1, len(names))
                  if odds[k] >= thresholds.least[BOTH]]
    return sorted(found, key=lambda pair: -pair[2])


LEAST = 1e-3  # of the axes, which are logarithmic


def draw(folder: Path, outcomes: Outcomes, thresholds: Mapping[str, float]) -> None:
    """trade_off.png (Martin et al., The DET curve in assessment of detection task performance,
    1997) and scores.png."""
    pyplot = _pyplot()
    folder.mkdir(parents=True, exist_ok=True)
    figure, axis = pyplot.subplots(figsize=(6, 6), layout="constrained")
    for column, outcome in outcomes.items():
        curve = np.maximum(np.array(outcome.curve()), LEAST)
        axis.plot(100 * curve[:, 0], 100 * curve[:, 1],
                  label=f"{column}, EER {100 * outcome.equal_error_rate():.1f} %")
        threshold = thresholds[column]
        axis.plot(100 * max(outcome.fpir(threshold), LEAST),
                  100 * max(outcome.fnir(threshold), LEAST), "o", color=axis.lines[-1].get_color())
    axis.set(xscale="log", yscale="log", xlabel="strangers who get a name (%)",
             ylabel="enrolled people who are not named (%)",
             title="Dots: the thresholds that were chosen")
    axis.legend()
    axis.grid(alpha=0.3, which="both")
    figure.savefig(folder / "trade_off.png", dpi=120)
    pyplot.close(figure)

    figure, axis = pyplot.subplots(figsize=(8, 4), layout="constrained")
    outcome = outcomes[BOTH]
    strangers, known = (found[np.isfinite(found)] for found in (outcome.impostor, outcome.genuine))
    bins = np.histogram_bin_edges(np.concatenate([strangers, known]), 60)
    for scores, label in ((strangers, "strangers, the most alike"),
                          (known, "enrolled people, themselves")):
        axis.hist(scores, bins, alpha=0.6, density=True, label=label)
    axis.axvline(thresholds[BOTH], color="black", linestyle="--", label="threshold")
    axis.set(xlabel="score by face and voice", ylabel="density")
    axis.legend()
    figure.savefig(folder / "scores.png", dpi=120)
    pyplot.close(figure)


def _pyplot() -> Any:
    try:
        import matplotlib
    except ModuleNotFoundError:
        raise UsageError("--plots needs matplotlib, found none; pip install matplotlib") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
