"""`python -m benchmarks`: what bundles cost on this machine."""

from __future__ import annotations

import functools
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from benchmarks.accuracy import NUM_PEOPLE, measure_accuracy
from benchmarks.accuracy_table import draw_ladders, ladder_tables
from benchmarks.compare import compare_files, compare_table
from benchmarks.device.command import add_device
from benchmarks.everything import measure_all
from benchmarks.gallery import gallery_conditions, gallery_table, measure_gallery
from benchmarks.kiosk.command import add_kiosk
from benchmarks.latency import add_details, latency_table, measure_latency
from benchmarks.open_set import measure_open_set, open_set_text
from benchmarks.operations import METHOD, operations_table
from benchmarks.page.build import write_page
from benchmarks.peers.build import environments_in
from benchmarks.peers.environments import set_up
from benchmarks.peers.measure import measure_peers, peers_table
from benchmarks.regression import compare_latency, regression_table
from benchmarks.report import update_readmes
from benchmarks.results import RESULTS, read_result, write_result
from benchmarks.roofline import measure_roofline
from benchmarks.roofline_table import roofline_tables
from benchmarks.size import measure_size, size_table
from benchmarks.stages import stages_table
from benchmarks.sustained import (
    measure_sustained,
    plot_sustained,
    seconds_of,
    sustained_table,
)
from benchmarks.timing import ROOT
from benchmarks.untrained import untrained_bundles
from edge_runtime.command import Commands
from edge_runtime.errors import UsageError
from edge_runtime.result_file import print_result, stamped
from edge_runtime.trials import ENROLLED_FROM
from edge_runtime.voice import read_noises


def main() -> int:
    commands = Commands("python -m benchmarks", "Measure what bundles cost on this machine.")
    latency = commands.add("latency", _latency, "cold start, and warm times in turn")
    _add_bundles(latency)
    latency.add_argument("--threads", default="1", metavar="N[,N...]",
                         help="of the interpreter, also several: 1,2,4 (1)")
    latency.add_argument("--rounds", type=int, default=200, help="timed runs of each (200)")
    latency.add_argument("--sustained", metavar="DURATION",
                         help="run for so long (90s, 30m) and show times beside clock and heat")
    latency.add_argument("--plot", type=Path, metavar="PNG", help="draw what --sustained found")
    compare = commands.add("compare", _compare, "two result files beside each other")
    compare.add_argument("before", type=Path, metavar="BEFORE.json")
    compare.add_argument("after", type=Path, metavar="AFTER.json")
    compare.add_argument("--force", action="store_true", help="also of unlike conditions")
    compare.add_argument("--json", action="store_true", help="print one JSON object")
    size = commands.add("size", _size, "bytes and memory of bundles, bytes of the runtime")
    _add_bundles(size)
    size.add_argument("--platforms", action="store_true",
                      help="also of the runtime on x86_64 and aarch64, by its wheels (downloads)")
    peers = commands.add("peers", _peers, "our face network beside what others would use")
    peers.add_argument("--image-size", type=int, default=256, metavar="S")
    peers.add_argument("--threads", type=int, default=1, help="of the interpreter (1)")
    peers.add_argument("--rounds", type=int, default=200, help="timed runs of each (200)")
    peers.add_argument("--setup", action="store_true",
                       help="install the peers' libraries, each in an environment of its own")
    peers.add_argument("--cache", type=Path, default=ROOT / "build" / "peers", metavar="FOLDER",
                       help="where the peers' networks and environments are kept (build/peers)")
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
    _add_accuracy(commands)
    _add_machine(commands)
    add_device(commands)
    add_kiosk(commands)
    return commands.main()


def _add_accuracy(commands: Commands) -> None:
    accuracy = commands.add("accuracy", _accuracy, "how well a bundle tells people apart, clean "
                                                   "and spoilt, by the number of people")
    accuracy.add_argument("bundle", type=Path, metavar="BUNDLE")
    accuracy.add_argument("--data", type=Path, required=True, metavar="PEOPLE")
    accuracy.add_argument("--noise", type=Path, metavar="DIR", help="sound files to add to clips")
    accuracy.add_argument("--people", type=int, nargs="+", default=NUM_PEOPLE, metavar="N",
                          help=f"to choose from ({' '.join(map(str, NUM_PEOPLE))})")
    accuracy.add_argument("--seed", type=int, default=0, help="who is drawn (0)")
    accuracy.add_argument("--plots", type=Path, metavar="FOLDER", help="draw the ladders there")
    accuracy.add_argument("--json", action="store_true", help="print one JSON object")


def _add_machine(commands: Commands) -> None:
    roofline = commands.add("roofline", _roofline, "how far networks are from the least time that "
                                                   "this machine could need")
    _add_bundles(roofline)
    roofline.add_argument("--threads", type=int, default=1, help="of the interpreter (1)")
    roofline.add_argument("--rounds", type=int, default=200, help="timed runs of each (200)")
    everything = commands.add("all", _all, "latency, size and roofline of this device, in one file")
    everything.add_argument("bundles", type=Path, nargs="*", metavar="BUNDLE",
                            help="without one, untrained bundles are made (extra 'train')")
    everything.add_argument("--out", type=Path, metavar="FILE",
                            help="benchmarks/results/<device>.json unless told")
    everything.add_argument("--against", type=Path, metavar="FILE",
                            help="this device's last results: exit code 1 where it is slower now")
    everything.add_argument("--force", action="store_true",
                            help="compare even under unlike conditions")
    everything.add_argument("--rounds", type=int, default=200, help="timed runs of each (200)")
    report = commands.add("report", _report, "make the READMEs' tables, and a page, from results")
    report.add_argument("--html", type=Path, metavar="FILE", help="write all of it as one page")
    report.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER",
                        help="where result files lie (benchmarks/results)")


def _add_bundles(parser: ArgumentParser) -> None:
    parser.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _numbers(text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise UsageError("--threads expects numbers with commas between them, such as 1,2,4, found "
                         f"'{text}'") from None


def _latency(options: Namespace) -> None:
    threads = _numbers(options.threads)
    if options.sustained:
        _sustained(options, threads)
        return
    if options.plot:
        raise UsageError("--plot expects --sustained DURATION, whose curve it draws")
    content = measure_latency(options.bundles, threads=threads, rounds=options.rounds)
    add_details(content)
    if options.json:
        print_result("benchmarks latency", content)
        return
    print(latency_table(content))
    print(f"\n{stages_table(content['results'])}")
    if content["not_detected"]:
        print(f"\nno face was looked for: {content['not_detected']}")
    for result in content["results"]:
        print(f"\n{result['name']}, {_threads(result['threads'])}\n"
              f"{operations_table(result['operations'])}")
    print(f"\noperations: {METHOD}")
    print(_where(content["conditions"]))


def _sustained(options: Namespace, threads: list[int]) -> None:
    if len(threads) > 1:
        raise UsageError("--sustained expects one number of --threads, found several")
    content = measure_sustained(options.bundles, seconds_of(options.sustained), threads=threads[0])
    if options.json:
        print_result("benchmarks sustained", content)
    else:
        print(f"{sustained_table(content)}\n\n{_where(content['conditions'])}")
    if options.plot:  # last, as its library may be missing
        plot_sustained(content, options.plot)


def _compare(options: Namespace) -> None:
    content = compare_files(options.before, options.after, force=options.force)
    if options.json:
        print_result("benchmarks compare", content)
        return
    print(compare_table(content))
    for reason in content["unlike"]:
        print(f"unlike: {reason}")


def _where(known: dict[str, Any]) -> str:
    """The conditions in a line."""
    threads = known["threads"]
    return (f"{known['cpu']}, {_threads(threads)}, {known['interpreter']}, load {known['load']}")


def _threads(count: int | list[int]) -> str:
    if isinstance(count, list):
        return f"{', '.join(map(str, count))} threads"
    return f"{count} thread{'s' * (count > 1)}"


def _size(options: Namespace) -> None:
    content = measure_size(options.bundles, platforms=options.platforms)
    if options.json:
        print_result("benchmarks size", content)
    else:
        print(size_table(content))


def _peers(options: Namespace) -> None:
    say = functools.partial(print, flush=True, file=sys.stderr)
    if options.setup:
        for name, reason in set_up(environments_in(options.cache), say).items():
            say(f"{name} left out: {reason}")
        return
    content = measure_peers(options.cache, image_size=options.image_size, threads=options.threads,
                            rounds=options.rounds, say=say)
    for name, reason in content["left_out"].items():
        say(f"{name} left out: {reason}")
    if options.json:
        print_result("benchmarks peers", content)
        return
    print(f"{peers_table(content)}\n\none face of {content['image_size']} pixels, "
          f"{_where(content['conditions'])}")


def _gallery(options: Namespace) -> None:
    content = measure_gallery(options.people, rounds=options.rounds)
    if options.json:
        print_result("benchmarks gallery", content)
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
        print_result("benchmarks open-set", content)
    else:
        print(open_set_text(content))


def _accuracy(options: Namespace) -> None:
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


def _roofline(options: Namespace) -> None:
    content = measure_roofline(options.bundles, threads=options.threads, rounds=options.rounds)
    if options.json:
        print_result("benchmarks roofline", content)
    else:
        print(roofline_tables(content))


def _all(options: Namespace) -> int:
    before = read_result(options.against) if options.against else None
    if before and before["kind"] != "benchmarks all":
        raise UsageError(f"{options.against}: expected what 'all' has written, found "
                         f"'{before['kind']}'")
    say = functools.partial(print, file=sys.stderr, flush=True)
    bundles = options.bundles or untrained_bundles(ROOT / "build" / "untrained", say)
    content = measure_all(bundles, rounds=options.rounds, say=say)
    out = options.out or RESULTS / f"{content['device']}.json"
    write_result(out, stamped("benchmarks all", content))
    print(f"{latency_table(content['latency'])}\n\n{size_table(content['size'])}\n\n{out}")
    if before is None:
        return 0
    rows = compare_latency(content["latency"], before["latency"], force=options.force)
    print(f"\n{regression_table(rows)}")
    return int(any(row["slower"] for row in rows))


def _report(options: Namespace) -> int:
    texts, problems = update_readmes(results=options.results)
    changed = {file: text for file, text in texts.items()
               if file.read_text(encoding="utf-8") != text}
    for file, text in changed.items():
        file.write_text(text, encoding="utf-8")
    print(f"tables made anew: {', '.join(map(str, changed)) or 'no README changes'}")
    if options.html:
        problems = [*problems, *write_page(options.html, options.results)]
        print(f"page: {options.html}")
    for problem in dict.fromkeys(problems):
        print(f"python -m benchmarks: {problem}", file=sys.stderr)
    return 2 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
