"""`visavox devices`: which cameras and microphones there are."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict

from edge_runtime.capture.devices import Device, list_devices
from edge_runtime.command import Commands
from edge_runtime.output import print_json, table
from edge_runtime.terminal import printable


def add(commands: Commands) -> None:
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
