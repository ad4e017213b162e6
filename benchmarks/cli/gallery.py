"""`python -m benchmarks gallery`: a search among enrolled people."""

from __future__ import annotations

from argparse import Namespace

from benchmarks.cli.options import add_json
from edge_runtime.command import Commands
from edge_runtime.result_file import print_result


def add(commands: Commands) -> None:
    gallery = commands.add("gallery", _gallery, "a search among enrolled people, on one core",
                           example="--people 1000 100000")
    gallery.add_argument("--people", type=int, nargs="+", default=[1000, 100_000], metavar="N",
                         help="how many are enrolled (1000 100000)")
    gallery.add_argument("--rounds", type=int, default=100, help="timed searches of each (100)")
    add_json(gallery)


def _gallery(options: Namespace) -> None:
    from benchmarks.gallery import gallery_conditions, gallery_table, measure_gallery

    content = measure_gallery(options.people, rounds=options.rounds)
    if options.json:
        print_result("benchmarks gallery", content)
        return
    print(f"{gallery_table(content)}\n\n{gallery_conditions(content)}")
