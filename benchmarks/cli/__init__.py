"""The command line `python -m benchmarks`. A module for each subject of its commands, which imports
what it measures with only when it runs: the others need not wait for that."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.cli import cost, machines, recognition, report
from edge_runtime.console.parser import Commands


def all_commands() -> Commands:
    """What `python -m benchmarks` can do."""
    commands = Commands("python -m benchmarks", "Measure what bundles cost on this machine.")
    for add in (cost.add_latency, report.add_compare, cost.add_size, machines.add_peers,
                recognition.add_gallery, recognition.add_open_set, recognition.add_accuracy,
                recognition.add_agreement, cost.add_roofline, report.add_everything,
                report.add_report, machines.add_device, machines.add_kiosk):
        add(commands)
    return commands


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point of `python -m benchmarks`."""
    return all_commands().main(arguments)
