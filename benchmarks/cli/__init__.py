"""The command line `python -m benchmarks`. A module for each of its commands, which imports what
it measures with only when it runs: the others need not wait for that."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.cli import (
    accuracy,
    agreement,
    compare,
    device,
    everything,
    gallery,
    kiosk,
    latency,
    open_set,
    peers,
    report,
    roofline,
    size,
)
from edge_runtime.command import Commands


def all_commands() -> Commands:
    """What `python -m benchmarks` can do."""
    commands = Commands("python -m benchmarks", "Measure what bundles cost on this machine.")
    for module in (latency, compare, size, peers, gallery, open_set, accuracy, agreement, roofline,
                   everything, report, device, kiosk):
        module.add(commands)
    return commands


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point of `python -m benchmarks`."""
    return all_commands().main(arguments)
