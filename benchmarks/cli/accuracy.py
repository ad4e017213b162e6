"""`python -m benchmarks accuracy`: how well a bundle tells people apart, and what spoils it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from benchmarks.cli.options import add_json
from edge_runtime.command import Commands
from edge_runtime.errors import UsageError
from edge_runtime.result_file import print_result


def add(commands: Commands) -> None:
    accuracy = commands.add("accuracy", _accuracy, "how well a bundle tells people apart, clean "
                                                   "and spoilt, by the number of people",
                            example="bundle --data people --noise noise")
    accuracy.add_argument("bundle", type=Path, metavar="BUNDLE")
    accuracy.add_argument("--data", type=Path, required=True, metavar="PEOPLE")
    accuracy.add_argument("--noise", type=Path, metavar="DIR", help="sound files to add to clips")
    accuracy.add_argument("--people", type=int, nargs="+", default=[10, 30, 60, 95], metavar="N",
                          help="to choose from (10 30 60 95)")
    accuracy.add_argument("--seed", type=int, default=0, help="who is drawn (0)")
    accuracy.add_argument("--plots", type=Path, metavar="FOLDER", help="draw the ladders there")
    add_json(accuracy)


def _accuracy(options: Namespace) -> None:
    from benchmarks.accuracy import measure_accuracy
    from benchmarks.accuracy_table import draw_ladders, ladder_tables
    from edge_runtime.voice import read_noises

    if min(options.people) < 2:
        raise UsageError("--people expects numbers of at least 2")
    content = measure_accuracy(
        options.bundle, options.data, num_people=options.people, seed=options.seed,
        noises=read_noises(options.noise) if options.noise else [])
    if options.plots:
        draw_ladders(options.plots, content)
    if options.json:
        print_result("benchmarks accuracy", content)
    else:
        print(ladder_tables(content))
