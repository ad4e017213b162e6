"""`python -m benchmarks`: what bundles cost on this machine."""

from __future__ import annotations

import functools
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from benchmarks.gallery import gallery_conditions, gallery_table, measure_gallery
from benchmarks.latency import latency_table, measure_latency
from benchmarks.open_set import measure_open_set, open_set_text
from benchmarks.peers.measure import measure_peers, peers_table
from benchmarks.report import update_readme
from benchmarks.size import measure_size, size_table
from benchmarks.timing import ROOT
from edge_runtime.command import Commands, print_json
from edge_runtime.errors import UsageError
from edge_runtime.trials import ENROLLED_FROM
from edge_runtime.voice import read_noises


def main() -> int:
    commands = Commands("python -m benchmarks", "Measure what bundles cost on this machine.")
    latency = commands.add("latency", _latency, "cold start, and warm times in turn")
    _add_bundles(latency)
    latency.add_argument("--threads", type=int, default=1, help="of the interpreter (1)")
    latency.add_argument("--rounds", type=int, default=200, help="timed runs of each (200)")
    _add_bundles(commands.add("size", _size, "bytes of bundles and of the installed runtime"))
    peers = commands.add("peers", _peers, "our face network beside what others would use")
    peers.add_argument("--image-size", type=int, default=256, metavar="S")
    peers.add_argument("--threads", type=int, default=1, help="of the interpreter (1)")
    peers.add_argument("--rounds", type=int, default=200, help="timed runs of each (200)")
    peers.add_argument("--models", type=Path, default=ROOT / "build" / "peers", metavar="FOLDER",
                       help="where the peers' models are kept (build/peers)")
    peers.add_argument("--json", action="store_true", help="print one JSON object")
    gallery = commands.add("gallery", _gallery, "a search among enrolled people, on one core")
    gallery.add_argument("--people", type=int, nargs="+", default=[1000, 100_000], metavar="N",
                         help="how many are enrolled (1000 100000)")
    gallery.add_argument("--rounds", type=int, default=100, help="timed searches of each (100)")
    gallery.add_argument("--json", action="store_true", help="print one JSON object")
    open_set = commands.add("open-set", _open_set, "enrolled people and strangers, none of whom "
                                                   "training has seen")
    open_set.add_argument("bundle", type=Path, metavar="BUNDLE")
    open_set.add_argument("--data", type=Path, required=True, metavar="PEOPLE",
                          help="people whom training has not seen; others are left out")
    open_set.add_argument("--strangers", type=Path, metavar="PEOPLE",
                          help="a folder whose split 'stranger' is tried as well")
    open_set.add_argument("--enrolled-from", type=int, default=ENROLLED_FROM, metavar="N",
                          help=f"faces and clips of each ({ENROLLED_FROM})")
    open_set.add_argument("--seed", type=int, default=0, help="who is enrolled (0)")
    open_set.add_argument("--noise", type=Path, metavar="DIR",
                          help="sound files that drown a voice (pink noise)")
    open_set.add_argument("--snr", type=float, metavar="DB",
                          help="speech over noise in all that is tried")
    open_set.add_argument("--plots", type=Path, metavar="FOLDER",
                          help="draw the trade-off of both errors and the scores there")
    open_set.add_argument("--json", action="store_true", help="print one JSON object")
    report = commands.add("report", _report, "make the README's tables anew from the results")
    report.add_argument("--readme", type=Path, default=ROOT / "README.md", help="file to change")
    return commands.main()


def _add_bundles(parser: ArgumentParser) -> None:
    parser.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _latency(options: Namespace) -> None:
    content = measure_latency(options.bundles, threads=options.threads, rounds=options.rounds)
    if options.json:
        print_json(content)
        return
    known = content["conditions"]
    print(latency_table(content))
    print(f"\n{known['cpu']}, {known['threads']} thread{'s' * (known['threads'] > 1)}, "
          f"{known['interpreter']}, load {known['load']}")


def _size(options: Namespace) -> None:
    content = measure_size(options.bundles)
    if options.json:
        print_json(content)
    else:
        print(size_table(content))


def _peers(options: Namespace) -> None:
    content = measure_peers(
        options.models, image_size=options.image_size, threads=options.threads,
        rounds=options.rounds,
        say=(lambda line: None) if options.json else functools.partial(print, flush=True))
    if options.json:
        print_json(content)
        return
    print(peers_table(content))
    known = content["conditions"]
    print(f"\none face of {content['image_size']} pixels, {known['cpu']}, {known['threads']} "
          f"thread{'s' * (known['threads'] > 1)}, {known['interpreter']}, load {known['load']}")


def _gallery(options: Namespace) -> None:
    content = measure_gallery(options.people, rounds=options.rounds)
    if options.json:
        print_json(content)
        return
    print(f"{gallery_table(content)}\n\n{gallery_conditions(content)}")


def _open_set(options: Namespace) -> None:
    if options.snr is not None and options.noise is None:
        raise UsageError("--snr DB expects --noise DIR, found none")
    content = measure_open_set(
        options.bundle, options.data, strangers=options.strangers, count=options.enrolled_from,
        seed=options.seed, noises=read_noises(options.noise) if options.noise else [],
        snr_db=options.snr, plots=options.plots)
    if options.json:
        print_json(content)
    else:
        print(open_set_text(content))


def _report(options: Namespace) -> None:
    text = update_readme(options.readme)
    options.readme.write_text(text, encoding="utf-8")
    print(f"tables made anew: {options.readme}")


if __name__ == "__main__":
    sys.exit(main())
