"""`python -m benchmarks report`: the pages' tables, and one page of all, from the result files."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from edge_runtime.command import Commands


def add(commands: Commands) -> None:
    report = commands.add("report", _report,
                          "make the tables of docs, and one page of all, from results",
                          example="--html report.html")
    report.add_argument("--html", type=Path, metavar="FILE", help="write all of it as one page")
    report.add_argument("--results", type=Path, metavar="FOLDER",
                        help="where result files lie (benchmarks/results)")


def _report(options: Namespace) -> int:
    from benchmarks.page.build import write_page
    from benchmarks.report import update_pages
    from benchmarks.results import RESULTS

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
