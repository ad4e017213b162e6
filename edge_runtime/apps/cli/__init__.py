"""The command `visavox`: what is done on the device. A module for each subject of its commands."""

from __future__ import annotations

from collections.abc import Sequence

from edge_runtime.apps.cli import enroll, export_web, gallery, identify, inspect, kiosk, thresholds
from edge_runtime.console.parser import Commands

DESCRIPTION = ("Identify a person on this device from a picture of the face and a few seconds of "
               "speech. It says who is probably there; it is not access control: a photograph and "
               "a recording pass for the person.")


def all_commands() -> Commands:
    """What `visavox` can do."""
    commands = Commands("visavox", DESCRIPTION, "Nobody is an answer, and no failure.")
    for add in (identify.add_identify, inspect.add_inspect, thresholds.add_crop,
                inspect.add_devices, enroll.add_enroll, gallery.add_people, gallery.add_forget,
                enroll.add_reject, gallery.add_export, gallery.add_import, gallery.add_audit,
                thresholds.add_thresholds, identify.add_watch, inspect.add_doctor,
                kiosk.add_kiosk, export_web.add_export_web):
        add(commands)
    return commands


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point of `visavox`."""
    return all_commands().main(arguments)
