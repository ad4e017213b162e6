"""`python -m benchmarks all`: all that a device is measured for, in one file."""

from __future__ import annotations

import functools
import sys
from argparse import Namespace
from pathlib import Path

from benchmarks.cli.options import add_rounds
from edge_runtime.command import Commands
from edge_runtime.result_file import stamped


def add(commands: Commands) -> None:
    everything = commands.add("all", _all, "latency, size and roofline of this device, in one file",
                              example="bundle --out device.json")
    everything.add_argument("bundles", type=Path, nargs="*", metavar="BUNDLE",
                            help="without one, untrained bundles are made (extra 'train')")
    everything.add_argument("--out", type=Path, metavar="FILE",
                            help="benchmarks/results/<device>.json unless told")
    everything.add_argument("--against", type=Path, metavar="FILE",
                            help="this device's last results: exit code 1 where it is slower now")
    everything.add_argument("--force", action="store_true",
                            help="compare even under unlike conditions")
    add_rounds(everything)


def _all(options: Namespace) -> int:
    from benchmarks.compare import compare_table, compare_times, read_times
    from benchmarks.everything import measure_all
    from benchmarks.latency import latency_table
    from benchmarks.results import RESULTS, write_result
    from benchmarks.size import size_table
    from benchmarks.timing import ROOT
    from benchmarks.untrained import untrained_bundles

    before = read_times(options.against, ["benchmarks all"]) if options.against else None
    say = functools.partial(print, file=sys.stderr, flush=True)
    bundles = options.bundles or untrained_bundles(ROOT / "build" / "untrained", say)
    content = measure_all(bundles, rounds=options.rounds, say=say)
    out = options.out or RESULTS / f"{content['device']}.json"
    write_result(out, stamped("benchmarks all", content))
    print(f"{latency_table(content['latency'])}\n\n{size_table(content['size'])}\n\n{out}")
    if before is None:
        return 0
    compared = compare_times(before, content["latency"], force=options.force)
    print(f"\n{compare_table(compared)}")
    return int(any(row["slower"] for row in compared["results"]))
