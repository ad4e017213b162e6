"""The command line `python -m train`. A module for each of its commands, which imports Keras only
when it runs: a mistake in the options is said at once."""

from __future__ import annotations

from collections.abc import Sequence

from edge_runtime.command import Commands
from train.cli import evaluate, fit, import_weights, init, pack, sweep, synth


def all_commands() -> Commands:
    """What `python -m train` can do."""
    commands = Commands("python -m train", "Train networks that identify people.")
    for module in (synth, pack, fit, init, import_weights, evaluate, sweep):
        module.add(commands)
    return commands


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point of `python -m train`."""
    return all_commands().main(arguments)
