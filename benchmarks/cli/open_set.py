"""`python -m benchmarks open-set`: people enrolled later, and strangers."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from benchmarks.cli.options import add_json
from edge_runtime.command import Commands
from edge_runtime.errors import UsageError
from edge_runtime.result_file import print_result


def add(commands: Commands) -> None:
    open_set = commands.add("open-set", _open_set, "enrolled people and strangers, none of whom "
                                                   "training has seen",
                            example="bundle --data others --plots plots")
    open_set.add_argument("bundle", type=Path, metavar="BUNDLE")
    open_set.add_argument("--data", type=Path, required=True, metavar="PEOPLE",
                          help="people whom training has not seen; others are left out")
    open_set.add_argument("--strangers", type=Path, metavar="PEOPLE",
                          help="a folder whose split 'stranger' is tried as well")
    open_set.add_argument("--enrolled-from", type=int, default=3, metavar="N",
                          help="faces and clips of each (3)")
    open_set.add_argument("--seed", type=int, default=0, help="who is enrolled (0)")
    open_set.add_argument("--noise", type=Path, metavar="DIR",
                          help="sound files that drown a voice (pink noise)")
    open_set.add_argument("--snr", type=float, metavar="DB",
                          help="speech over noise in all that is tried")
    open_set.add_argument("--plots", type=Path, metavar="FOLDER",
                          help="draw the trade-off of both errors and the scores there")
    add_json(open_set)


def _open_set(options: Namespace) -> None:
    from benchmarks.open_set import measure_open_set, open_set_text
    from edge_runtime.voice import read_noises

    if options.snr is not None and options.noise is None:
        raise UsageError("--snr DB expects --noise DIR, found none")
    content = measure_open_set(
        options.bundle, options.data, strangers=options.strangers, count=options.enrolled_from,
        seed=options.seed, noises=read_noises(options.noise) if options.noise else [],
        snr_db=options.snr, plots=options.plots)
    if options.json:
        print_result("benchmarks open-set", content)
    else:
        print(open_set_text(content))
