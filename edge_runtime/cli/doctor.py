"""`visavox doctor`: what will go wrong on this machine, and the fix."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.capture.choose import (
    CAMERA_HELP,
    MICROPHONE_HELP,
    camera_from,
    microphone_from,
)
from edge_runtime.cli.options import add_json
from edge_runtime.command import Commands
from edge_runtime.output import counted, print_json
from edge_runtime.terminal import printable

if TYPE_CHECKING:
    from edge_runtime.doctor.finding import Finding

_ORDER = ("fault", "warning", "ok")


def add(commands: Commands) -> None:
    doctor = commands.add("doctor", _doctor, "say what will go wrong on this machine, and the fix",
                          example="bundle --gallery gallery.db",
                          end="Exit code 0 where nothing is at fault, 1 where something is, 2 for "
                              "a mistake in the arguments. Camera and microphone are opened for "
                              "some seconds.")
    doctor.add_bundle(required=False, help="a bundle to look at")
    doctor.add_argument("--gallery", type=Path, metavar="FILE",
                        help="a gallery of enrolled people to look at")
    doctor.add_argument("--key", type=Path, metavar="FILE",
                        help="its device key (default: as for 'visavox people')")
    doctor.add_argument("--camera", metavar="C", help=f"{CAMERA_HELP} (auto)")
    doctor.add_argument("--microphone", metavar="M", help=f"{MICROPHONE_HELP} (auto)")
    add_json(doctor)


def _doctor(options: Namespace) -> int:
    # Here, or the 20 ms that these take would be added to the start of every other command.
    from edge_runtime.doctor.examine import examine
    from edge_runtime.doctor.machine import Machine

    if options.camera is not None:
        camera_from(options.camera)  # a mistake in a name is no fault of the machine
    if options.microphone is not None:
        microphone_from(options.microphone)
    found = sorted(examine(Machine(
        bundle=options.bundle, gallery=options.gallery, key=options.key, camera=options.camera,
        microphone=options.microphone)), key=lambda finding: _ORDER.index(finding.severity))
    counts = Counter(finding.severity for finding in found)
    if options.json:
        print_json({"faults": counts["fault"], "warnings": counts["warning"],
                    "findings": [asdict(finding) for finding in found]})
    else:
        print("\n".join(_describe(finding) for finding in found))
        print(f"\n{counted(counts['fault'], 'fault')}, {counted(counts['warning'], 'warning')}, "
              f"{counts['ok']} ok")
    return 1 if counts["fault"] else 0


def _describe(finding: Finding) -> str:
    line = printable(f"{finding.severity:<8} {finding.code}: {finding.found}")
    return f"{line}\n         -> {printable(finding.fix)}" if finding.fix else line
