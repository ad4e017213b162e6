"""What result files say: `report`, `compare` and `all` of `python -m benchmarks`."""

from __future__ import annotations

import functools
import sys
from argparse import Namespace
from pathlib import Path

from benchmarks.cli.options import add_json, add_rounds
from edge_runtime.console.output import print_json, stamped
from edge_runtime.console.parser import Commands


def add_report(commands: Commands) -> None:
    report = commands.add("report", _report,
                          "make the tables of docs, and one page of all, from results",
                          example="--html report.html")
    report.add_argument("--html", type=Path, metavar="FILE", help="write all of it as one page")
    report.add_argument("--results", type=Path, metavar="FOLDER",
                        help="where result files lie (benchmarks/results)")


def _report(options: Namespace) -> int:
    from benchmarks.report.page import write_page
    from benchmarks.report.tables import update_pages
    from benchmarks.results.schema import RESULTS

    results = options.results or RESULTS
    texts, problems = update_pages(results=results)
    changed = {file: text for file, text in texts.items()
               if file.read_text(encoding="utf-8") != text}
    for file, text in changed.items():
        file.write_text(text, encoding="utf-8")
    print(f"tables made anew: {', '.join(map(str, changed)) or 'no page changes'}")
    if options.html:
        problems = [*problems, *write_page(options.html, results)]
        print(f"page: {options.html}")
    for problem in dict.fromkeys(problems):
        print(f"python -m benchmarks: {problem}", file=sys.stderr)
    return 2 if problems else 0


def add_compare(commands: Commands) -> None:
    compare = commands.add("compare", _compare, "two result files beside each other",
                           example="before.json after.json")
    compare.add_argument("before", type=Path, metavar="BEFORE.json")
    compare.add_argument("after", type=Path, metavar="AFTER.json")
    compare.add_argument("--force", action="store_true", help="also of unlike conditions")
    add_json(compare)


def _compare(options: Namespace) -> None:
    from benchmarks.report.compare import compare_table, compare_times, read_times

    content = compare_times(read_times(options.before), read_times(options.after),
                            force=options.force)
    if options.json:  # no result file: nothing was measured
        print_json(content)
    else:
        print(compare_table(content))


def add_everything(commands: Commands) -> None:
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
    from benchmarks.cost.latency import latency_table
    from benchmarks.cost.size import size_table
    from benchmarks.cost.timing import ROOT
    from benchmarks.cost.untrained import untrained_bundles
    from benchmarks.report.compare import compare_table, compare_times, measure_all, read_times
    from benchmarks.results.schema import RESULTS, write_result

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
