"""`python -m benchmarks kiosk`: a kiosk under load."""

from __future__ import annotations

from argparse import Namespace

from benchmarks.cli.options import add_json
from edge_runtime.command import Commands
from edge_runtime.result_file import print_result


def add(commands: Commands) -> None:
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
