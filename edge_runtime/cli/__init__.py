"""The command `visavox`: what is done on the device. A module for each of its commands."""

from __future__ import annotations

from collections.abc import Sequence

from edge_runtime.cli import (
    audit,
    crop,
    devices,
    doctor,
    enroll,
    export,
    export_web,
    forget,
    identify,
    import_,
    inspect,
    kiosk,
    people,
    reject,
    thresholds,
    watch,
)
from edge_runtime.command import Commands

DESCRIPTION = ("Identify a person on this device from a picture of the face and a few seconds of "
               "speech. It says who is probably there; it is not access control: a photograph and "
               "a recording pass for the person.")


def all_commands() -> Commands:
    """What `visavox` can do."""
    commands = Commands("visavox", DESCRIPTION, "Nobody is an answer, and no failure.")
    for module in (identify, inspect, crop, devices, enroll, people, forget, reject, export,
                   import_, audit, thresholds, watch, doctor, kiosk, export_web):
        module.add(commands)
    return commands


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point of `visavox`."""
    return all_commands().main(arguments)
