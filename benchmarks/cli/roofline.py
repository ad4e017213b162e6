"""`python -m benchmarks roofline`: how far networks are from the least time they could take."""

from __future__ import annotations

from argparse import Namespace

from benchmarks.cli.options import add_bundles, add_json, add_rounds, add_threads
from edge_runtime.command import Commands
from edge_runtime.result_file import print_result


def add(commands: Commands) -> None:
    roofline = commands.add("roofline", _roofline, "how far networks are from the least time that "
                                                   "this machine could need",
                            example="bundle-float32 bundle")
    add_bundles(roofline)
    add_threads(roofline)
    add_rounds(roofline)
    add_json(roofline)


def _roofline(options: Namespace) -> None:
    from benchmarks.roofline import measure_roofline
    from benchmarks.roofline_table import roofline_tables

    content = measure_roofline(options.bundles, threads=options.threads, rounds=options.rounds)
    if options.json:
        print_result("benchmarks roofline", content)
    else:
        print(roofline_tables(content))
