"""The command line `python -m train`. A module for each subject of its commands, which imports
Keras only when it runs: a mistake in the options is said at once."""

from __future__ import annotations

from collections.abc import Sequence

from edge_runtime.console.parser import Commands
from train.cli import data, fit, start, sweep


def all_commands() -> Commands:
    """What `python -m train` can do."""
    commands = Commands("python -m train", "Train networks that identify people.")
    for add in (data.add_synth, data.add_pack, fit.add_fit, start.add_init,
                start.add_import_weights, fit.add_evaluate, sweep.add_sweep):
        add(commands)
    return commands


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point of `python -m train`."""
    return all_commands().main(arguments)
