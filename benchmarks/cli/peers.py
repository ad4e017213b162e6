"""`python -m benchmarks peers`: our networks beside what others would use."""

from __future__ import annotations

import functools
import sys
from argparse import Namespace
from pathlib import Path

from benchmarks.cli.options import add_json, add_rounds, add_threads
from edge_runtime.command import Commands
from edge_runtime.result_file import print_result


def add(commands: Commands) -> None:
    peers = commands.add("peers", _peers, "our face network beside what others would use",
                         example="--setup\n--json")
    peers.add_argument("--image-size", type=int, default=256, metavar="S")
    add_threads(peers)
    add_rounds(peers)
    peers.add_argument("--setup", action="store_true",
                       help="install the peers' libraries, each in an environment of its own")
    peers.add_argument("--cache", type=Path, metavar="FOLDER",
                       help="where the peers' networks and environments are kept (build/peers)")
    add_json(peers)


def _peers(options: Namespace) -> None:
    from benchmarks.peers.build import environments_in
    from benchmarks.peers.environments import set_up
    from benchmarks.peers.measure import measure_peers, peers_table
    from benchmarks.timing import ROOT, conditions_line

    say = functools.partial(print, flush=True, file=sys.stderr)
    cache = options.cache or ROOT / "build" / "peers"
    if options.setup:
        for name, reason in set_up(environments_in(cache), say).items():
            say(f"{name} left out: {reason}")
        return
    content = measure_peers(cache, image_size=options.image_size, threads=options.threads,
                            rounds=options.rounds, say=say)
    for name, reason in content["left_out"].items():
        say(f"{name} left out: {reason}")
    if options.json:
        print_result("benchmarks peers", content)
        return
    print(f"{peers_table(content)}\n\none face of {content['image_size']} pixels, "
          f"{conditions_line(content['conditions'])}")
