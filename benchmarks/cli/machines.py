"""Other machines and other programs: `device`, `peers` and `kiosk` of `python -m benchmarks`."""

from __future__ import annotations

import functools
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from benchmarks.cli.options import add_bundles, add_json, add_rounds, add_threads
from benchmarks.device.debian import cache_folder
from edge_runtime.console.output import print_result
from edge_runtime.console.parser import Commands
from edge_runtime.errors import UsageError


def add_device(commands: Commands) -> None:
    device = commands.add("device", _device, "bundles on emulated Raspberry Pis: outputs as here? "
                                             "and counts of instructions",
                          example="bundle --data people")
    add_bundles(device)
    device.add_argument("--data", type=Path, metavar="PEOPLE",
                        help="whose test files are tried (drawn ones)")
    device.add_argument("--pairs", type=int, default=3, metavar="N",
                        help="faces and clips tried (3)")
    device.add_argument("--allow-uncertified", action="store_true",
                        help="try bundles that are not certified too, such as untrained ones")
    device.add_argument("--baseline", type=Path, metavar="FILE",
                        help="an earlier result, which counts may exceed by 1 %%")
    device.add_argument("--cache", type=Path, default=cache_folder(), metavar="FOLDER",
                        help="where Debian's and Python's packages are kept (%(default)s)")
    add_json(device)


def _device(options: Namespace) -> int:
    from benchmarks.device.check import measure_device
    from benchmarks.device.table import device_table, read_baseline, regressions

    if options.pairs < 1:
        raise UsageError(f"--pairs expects a number of at least 1, found {options.pairs}")
    earlier = read_baseline(options.baseline) if options.baseline else None
    content = measure_device(
        options.bundles, cache=options.cache, data=options.data, pairs=options.pairs,
        allow_uncertified=options.allow_uncertified, say=_complain)
    if options.json:
        print_result("benchmarks device", content)
    else:
        print(device_table(content))
    wrong = _differences(content)
    for line in wrong:
        _complain(line)
    slower = regressions(content, earlier) if earlier else []
    for line in slower:
        _complain(line)
    return 1 if wrong or slower or content["left_out"] else 0


def _differences(content: dict[str, Any]) -> list[str]:
    lines = []
    for row in content["results"]:
        where = f"{row['name']} on {row['cpu']}, {row['interpreter']}"
        if not row["agrees"]:
            lines.append(f"{where}: outputs differ from this machine's by more than rounding "
                         f"explains: {row['largest_difference']}")
        if row["certified"] and row["same_decisions"] < row["decisions"]:
            lines.append(f"{where}: {row['decisions'] - row['same_decisions']} of "
                         f"{row['decisions']} decisions differ from this machine's")
    return lines


def _complain(line: str) -> None:
    print(f"python -m benchmarks device: {line}", file=sys.stderr, flush=True)


def add_peers(commands: Commands) -> None:
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
    from benchmarks.cost.timing import ROOT, conditions_line
    from benchmarks.peers.build import environments_in
    from benchmarks.peers.environments import set_up
    from benchmarks.peers.measure import measure_peers, peers_table

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


def add_kiosk(commands: Commands) -> None:
    kiosk = commands.add("kiosk", _kiosk, "a kiosk under load: latency, errors, memory",
                         example="--minutes 5 -- --demo demo")
    kiosk.add_argument("arguments", nargs="*", metavar="-- ARGUMENT",
                       help="of 'visavox kiosk' (--demo demo)")
    kiosk.add_argument("--minutes", type=float, default=30.0, metavar="M", help="(30)")
    kiosk.add_argument("--rate", type=float, default=20.0, metavar="N",
                       help="requests a second (20)")
    kiosk.add_argument("--pages", type=int, default=2, metavar="N",
                       help="pages that are open: events and the live view (2)")
    add_json(kiosk)


def _kiosk(options: Namespace) -> int:
    from benchmarks.kiosk.measure import is_bad, kiosk_table, measure_kiosk

    content = measure_kiosk(options.arguments or ["--demo", "demo"], seconds=60 * options.minutes,
                            rate=options.rate, pages=options.pages)
    if options.json:
        print_result("benchmarks kiosk", content)
    else:
        print(kiosk_table(content))
    return int(is_bad(content))
