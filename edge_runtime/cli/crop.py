"""`visavox crop`: training faces from whole pictures."""

from __future__ import annotations

import functools
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge_runtime.cli.options import add_detector, detector_from
from edge_runtime.command import Commands
from edge_runtime.crop_folder import CropReport, crop_folder
from edge_runtime.detect import DETECTORS
from edge_runtime.output import percent, print_json, table, with_progress
from edge_runtime.passed_over import described
from edge_runtime.terminal import printable


def add(commands: Commands) -> None:
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
