"""From people on disk: `visavox thresholds`, from when on somebody is named, and `visavox crop`,
faces to train on from whole pictures.
"""

from __future__ import annotations

import functools
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from edge_runtime.apps.cli.options import (
    add_bundle,
    add_detector,
    add_enrolled,
    detector_from,
    need,
)
from edge_runtime.console.output import percent, print_json, say_problems, table, with_progress
from edge_runtime.console.parser import Commands
from edge_runtime.console.terminal import printable
from edge_runtime.dataset.cropping import CropReport, crop_folder
from edge_runtime.dataset.passed_over import described
from edge_runtime.signals.detection import DETECTORS

if TYPE_CHECKING:
    from edge_runtime.decision.decide import EnrolledThresholds
    from edge_runtime.decision.identify import Identifier
    from edge_runtime.evaluation.thresholds import Outcomes

def add_thresholds(commands: Commands) -> None:
    thresholds = commands.add("thresholds", _thresholds, "measure from when on somebody is named, "
                                                         "and keep that in bundle or gallery",
                              example="bundle --people people\n"
                                      "bundle --gallery gallery.db --people others")
    add_bundle(thresholds)
    add_enrolled(thresholds)
    thresholds.add_argument("--people", type=Path, required=True, metavar="FOLDER",
                            help="for a bundle, people of the training and others; for a gallery, "
                                 "others alone")
    thresholds.add_argument("--false-accept-rate", type=float, default=0.05, metavar="SHARE",
                            help="of strangers who get a name, at most (0.05)")
    thresholds.add_argument("--force", action="store_true",
                            help="keep those of a network that does not tell new people apart, "
                                 "too; the gallery remembers it")
    thresholds.add_argument("--plots", type=Path, metavar="FOLDER",
                            help="draw the trade-off and the scores there; needs matplotlib")


def _thresholds(options: Namespace) -> None:
    from edge_runtime.decision.identify import Identifier

    need(options, "--key", "--gallery")
    identifier = Identifier.load(options.bundle, allow_uncertified=options.allow_uncertified)
    if options.gallery is None:
        _for_bundle(options, identifier)
    else:
        _for_gallery(options, identifier)


def _for_bundle(options: Namespace, identifier: Identifier) -> None:
    from edge_runtime.bundle.manifest import write_manifest
    from edge_runtime.decision.decide import BOTH
    from edge_runtime.evaluation.thresholds import measure_trained

    found, outcomes = measure_trained(identifier, options.people, options.false_accept_rate,
                                      say_problems)
    chosen = {"face": found.face, "voice": found.voice, BOTH: found.ensemble}
    _draw(options, outcomes, chosen)
    write_manifest(options.bundle, msgspec.structs.replace(identifier.manifest, thresholds=found))
    if options.json:
        print_json(msgspec.to_builtins(found) | _rates(outcomes))
        return
    print(_table("score", outcomes, chosen, {column: outcome.fnir(chosen[column])
                                             for column, outcome in outcomes.items()}))
    print(f"\nkept in {options.bundle}")


def _for_gallery(options: Namespace, identifier: Identifier) -> None:
    from edge_runtime.evaluation.thresholds import lookalikes, measure_enrolled
    from edge_runtime.gallery.store import Gallery

    with Gallery.open(options.gallery, identifier.manifest, options.key, mode="create",
                      force=options.force) as gallery:
        forced = options.force or gallery.forced() is not None
        _check_suited(identifier, None, forced)
        found, outcomes = measure_enrolled(identifier, options.people, options.false_accept_rate,
                                           say_problems)
        _check_suited(identifier, found, forced)
        _draw(options, outcomes, found.least)
        gallery.set_thresholds(found)
        if options.force:
            gallery.force()
        alike = lookalikes(*gallery.templates(), found)
    if options.json:
        content: dict[str, Any] = msgspec.to_builtins(found)
        print_json(content | {"lookalikes": [list(pair[:2]) for pair in alike]} | _rates(outcomes))
        return
    print(_table("log-odds", outcomes, found.least, found.miss_rate))
    print(f"\nmeasured with {found.people} people enrolled; among more, more strangers get a name")
    for one, other, _ in alike:
        print(f"lookalikes: {one} and {other} may be taken for each other; enroll both from more "
              "samples")
    print(f"kept in {options.gallery}")


def _check_suited(
    identifier: Identifier, found: EnrolledThresholds | None, forced: bool
) -> None:
    """Before much is measured, and before anything is kept."""
    from edge_runtime.gallery.samples import refuse, unsuited

    if not forced and (why := unsuited(identifier.manifest, found)):
        raise refuse(why)


def _draw(options: Namespace, outcomes: Outcomes, thresholds: Mapping[str, float]) -> None:
    if options.plots:
        from edge_runtime.evaluation.thresholds import draw

        draw(options.plots, outcomes, thresholds)


def _rates(outcomes: Outcomes) -> dict[str, Any]:
    return {"equal_error_rate": {column: found.equal_error_rate()
                                 for column, found in outcomes.items()}}


def _table(
    unit: str, outcomes: Outcomes, thresholds: Mapping[str, float], missed: Mapping[str, float]
) -> str:
    return table(
        ["", f"threshold ({unit})", "strangers named (%)", "with 95 % confidence below",
         "not named (%)", "EER (%)"],
        [[column, f"{thresholds[column]:.3f}", percent(found.fpir(thresholds[column])),
          percent(found.fpir_bound(thresholds[column])), percent(missed[column]),
          percent(found.equal_error_rate())] for column, found in outcomes.items()])


def add_crop(commands: Commands) -> None:
    crop = commands.add("crop", _crop, "make training faces from whole pictures",
                        example="photos --out people")
    crop.add_argument("folder", type=Path, metavar="FOLDER",
                      help="pictures, or people as <person>/face/*")
    crop.add_argument("--out", type=Path, required=True, metavar="FOLDER",
                      help="where the faces go, in the same sub-folders")
    crop.add_argument("--json", action="store_true", help="print one JSON object")
    add_detector(crop)


def _crop(options: Namespace) -> None:
    detector = detector_from(options)
    report = crop_folder(options.folder, options.out, detector,
                         functools.partial(with_progress, doing="cropping"))
    if options.json:
        print_json({"detector": options.detector or DETECTORS[0], "pictures": report.pictures,
                    "faces": len(report.faces), "share_without_face": report.share_without_face,
                    "reasons": dict(report.reasons), "refused": _flaws(report),
                    "unreadable": report.unreadable,
                    "passed_over": [asdict(one) for one in report.passed_over]})
    else:
        print(_describe(report, options.out))


def _flaws(report: CropReport) -> dict[str, list[dict[str, Any]]]:
    return {path: [asdict(flaw) for flaw in flaws] for path, flaws in report.refused.items()}


def _describe(report: CropReport, out: Path) -> str:
    lines = [f"{report.pictures} pictures: {len(report.faces)} faces in {out}, "
             f"{len(report.refused)} refused, {len(report.unreadable)} unreadable; "
             f"{percent(report.share_without_face)} % without a face"]
    if report.reasons:
        rows = [[reason, str(count)] for reason, count in report.reasons.most_common()]
        lines += ["", table(["reason", "pictures"], rows), ""]
    lines += [printable(f"{path}: {'; '.join(flaw.message for flaw in flaws)}")
              for path, flaws in report.refused.items()]
    lines += [printable(f"{path}: {reason}") for path, reason in report.unreadable.items()]
    lines += described(report.passed_over)
    return "\n".join(lines)
