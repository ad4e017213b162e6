"""What is here: `visavox inspect` a bundle, `devices`, and `doctor`, which says what will fail."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge_runtime.apps.cli.options import add_bundle, add_json
from edge_runtime.bundle.manifest import Accuracy, Manifest
from edge_runtime.bundle.networks import load_bundle
from edge_runtime.capture.devices import (
    CAMERA_HELP,
    MICROPHONE_HELP,
    Device,
    camera_from,
    list_devices,
    microphone_from,
)
from edge_runtime.console.output import counted, percent, print_json, table
from edge_runtime.console.parser import Commands
from edge_runtime.console.terminal import printable

if TYPE_CHECKING:
    from edge_runtime.doctor.finding import Finding

def add_inspect(commands: Commands) -> None:
    inspect = commands.add("inspect", _inspect, "say what a bundle holds and how well it does",
                           example="bundle")
    add_bundle(inspect)


def _inspect(options: Namespace) -> None:
    # An uncertified bundle may be looked at: its reason is what the reader came for.
    bundle = load_bundle(options.bundle, allow_uncertified=True)
    manifest = bundle.manifest
    bundle.networks()
    if options.json:
        print_json(msgspec.to_builtins(manifest))
        return
    print(printable(f"{options.bundle}: {manifest.family} {manifest.variant}, {manifest.recipe}, "
                    f"{len(manifest.people)} people"))
    print(printable(f"certified: {'yes' if manifest.certified else 'no'} ({manifest.reason})"))
    for warning in manifest.warnings:
        print(printable(f"warning: {warning}"))
    print()
    print(network_table(manifest))
    if manifest.accuracy:
        print("\n" + accuracy_line(manifest.accuracy))
    print(f"thresholds: {'set' if manifest.thresholds else 'none: people are ranked only'}")
    print(printable(f"people: {', '.join(manifest.people)}"))


def network_table(manifest: Manifest) -> str:
    """A bundle's networks, a row each."""
    return table(["network", "MB", "MB gzip", "XNNPACK partitions", "largest error"],
                 [[part, f"{file.bytes / 1e6:.2f}", f"{file.gzip_bytes / 1e6:.2f}",
                   "-" if file.xnnpack_partitions is None else str(file.xnnpack_partitions),
                   "-" if file.max_abs_error is None else f"{file.max_abs_error:.1e}"]
                  for part, file in manifest.files.items()])


def accuracy_line(accuracy: Accuracy) -> str:
    """A bundle's accuracy, in one line."""
    mark = " (synthetic people)" if accuracy.synthetic else ""
    shares = ", ".join(f"{name} {percent(share)}" for name, share in accuracy.columns.items())
    return printable(f"accuracy in % on {accuracy.combinations} combinations of {accuracy.data}"
                     f"{mark}: {shares}; agrees with Keras on {percent(accuracy.agreement)}")


def add_devices(commands: Commands) -> None:
    devices = commands.add("devices", _devices, "list cameras and microphones",
                           example="--json")
    devices.add_argument("--json", action="store_true", help="print one JSON object")


def _devices(options: Namespace) -> None:
    found = list_devices()
    if options.json:
        print_json(asdict(found))
        return
    print(_part("camera", found.cameras))
    print()
    print(_part("microphone", found.microphones))
    if found.not_looked_for:
        print("\nnot looked for:")
    for problem in found.not_looked_for:
        print(printable(f"  {problem}"))


def _part(kind: str, found: tuple[Device, ...]) -> str:
    if found:
        return table([f"--{kind}", "name", "by", ""],
                     [[device.use, device.name, device.by, device.detail] for device in found])
    other = "a stream, a video file or a folder" if kind == "camera" else "a sound file"
    return f"no {kind} found; plug one in and ask again, or name {other} with --{kind}"


_ORDER = ("fault", "warning", "ok")


def add_doctor(commands: Commands) -> None:
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
