"""`python -m benchmarks compare`: two result files beside each other."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from benchmarks.cli.options import add_json
from edge_runtime.command import Commands
from edge_runtime.output import print_json


def add(commands: Commands) -> None:
    compare = commands.add("compare", _compare, "two result files beside each other",
                           example="before.json after.json")
    compare.add_argument("before", type=Path, metavar="BEFORE.json")
    compare.add_argument("after", type=Path, metavar="AFTER.json")
    compare.add_argument("--force", action="store_true", help="also of unlike conditions")
    add_json(compare)


def _compare(options: Namespace) -> None:
    from benchmarks.compare import compare_table, compare_times, read_times

    content = compare_times(read_times(options.before), read_times(options.after),
                            force=options.force)
    if options.json:  # no result file: nothing was measured
        print_json(content)
    else:
        print(compare_table(content))
