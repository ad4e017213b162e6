"""How well people are recognized: `accuracy`, `open-set`, `agreement` and `gallery`."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from benchmarks.cli.options import add_json
from edge_runtime.console.output import print_result
from edge_runtime.console.parser import Commands
from edge_runtime.errors import UsageError


def add_accuracy(commands: Commands) -> None:
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
    from benchmarks.recognition.accuracy import draw_ladders, ladder_tables, measure_accuracy
    from edge_runtime.signals.voice import read_noises

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


def add_open_set(commands: Commands) -> None:
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
    from benchmarks.recognition.open_set import measure_open_set, open_set_text
    from edge_runtime.signals.voice import read_noises

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


def add_agreement(commands: Commands) -> None:
    agreement = commands.add("agreement", _agreement, "how often enroll refuses samples of one "
                                                      "person, and finds those of two",
                             example="bundle --people others")
    agreement.add_argument("bundle", type=Path, metavar="BUNDLE")
    agreement.add_argument("--people", type=Path, required=True, metavar="FOLDER",
                           help="people whom the network was not trained on")
    agreement.add_argument("--draws", type=int, default=2000, metavar="N",
                           help="of each number of samples (2000)")
    agreement.add_argument("--allow-uncertified", action="store_true",
                           help="use a bundle that did not pass its checks")
    add_json(agreement)


def _agreement(options: Namespace) -> None:
    from benchmarks.recognition.agreement import agreement_table, measure_agreement
    from edge_runtime.dataset.collection import read_collection
    from edge_runtime.dataset.people import index_people
    from edge_runtime.decision.identify import Identifier

    identifier = Identifier.load(options.bundle, allow_uncertified=options.allow_uncertified)
    face = identifier.manifest.inputs.face
    assert face is not None
    collection = read_collection(index_people(options.people), face.size)
    content = measure_agreement(identifier, collection, draws=options.draws)
    if options.json:
        print_result("benchmarks agreement", content)
        return
    print(agreement_table(content))
    print(f"\n{content['people']} people, {content['draws']} draws a row")


def add_gallery(commands: Commands) -> None:
    gallery = commands.add("gallery", _gallery, "a search among enrolled people, on one core",
                           example="--people 1000 100000")
    gallery.add_argument("--people", type=int, nargs="+", default=[1000, 100_000], metavar="N",
                         help="how many are enrolled (1000 100000)")
    gallery.add_argument("--rounds", type=int, default=100, help="timed searches of each (100)")
    add_json(gallery)


def _gallery(options: Namespace) -> None:
    from benchmarks.recognition.search import gallery_conditions, gallery_table, measure_gallery

    content = measure_gallery(options.people, rounds=options.rounds)
    if options.json:
        print_result("benchmarks gallery", content)
        return
    print(f"{gallery_table(content)}\n\n{gallery_conditions(content)}")
