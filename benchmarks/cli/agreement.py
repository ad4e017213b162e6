"""`python -m benchmarks agreement`: samples of one person, and of two under one name."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from benchmarks.cli.options import add_json
from edge_runtime.command import Commands
from edge_runtime.result_file import print_result


def add(commands: Commands) -> None:
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
    from benchmarks.agreement import agreement_table, measure_agreement
    from edge_runtime.collection import read_collection
    from edge_runtime.identify import Identifier
    from edge_runtime.people import index_people

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
