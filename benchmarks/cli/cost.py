"""What bundles cost on this machine: `latency`, `size` and `roofline` of `python -m benchmarks`."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from benchmarks.cli.options import add_bundles, add_json, add_rounds, add_threads
from edge_runtime.console.output import print_result
from edge_runtime.console.parser import Commands
from edge_runtime.errors import UsageError


def add_latency(commands: Commands) -> None:
    latency = commands.add("latency", _latency, "cold start, and warm times in turn",
                           example="bundle-float32 bundle --rounds 50\n"
                                   "bundle --sustained 30m --plot sustained.png")
    add_bundles(latency)
    latency.add_argument("--threads", default="1", metavar="N[,N...]",
                         help="of the interpreter, also several: 1,2,4 (1)")
    add_rounds(latency)
    latency.add_argument("--details", action="store_true",
                         help="show each kind of operation too (always in --json)")
    latency.add_argument("--sustained", metavar="DURATION",
                         help="run for so long (90s, 30m) and show times beside clock and heat")
    latency.add_argument("--plot", type=Path, metavar="PNG", help="draw what --sustained found")
    add_json(latency)


def _latency(options: Namespace) -> None:
    from benchmarks.cost.latency import add_details, latency_table, measure_latency
    from benchmarks.cost.operations import METHOD, operations_table
    from benchmarks.cost.stages import stages_table
    from benchmarks.cost.timing import conditions_line, threads_text

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
    if options.details:
        for result in content["results"]:
            print(f"\n{result['name']}, {threads_text(result['threads'])}\n"
                  f"{operations_table(result['operations'])}")
        print(f"\noperations: {METHOD}")
    print(f"\n{conditions_line(content['conditions'])}")


def _sustained(options: Namespace, threads: list[int]) -> None:
    from benchmarks.cost.sustained import (
        measure_sustained,
        plot_sustained,
        seconds_of,
        sustained_table,
    )
    from benchmarks.cost.timing import conditions_line

    if len(threads) > 1:
        raise UsageError("--sustained expects one number of --threads, found several")
    content = measure_sustained(options.bundles, seconds_of(options.sustained), threads=threads[0])
    if options.json:
        print_result("benchmarks sustained", content)
    else:
        print(f"{sustained_table(content)}\n\n{conditions_line(content['conditions'])}")
    if options.plot:  # last, as its library may be missing
        plot_sustained(content, options.plot)


def _numbers(text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise UsageError("--threads expects numbers with commas between them, such as 1,2,4, found "
                         f"'{text}'") from None


def add_size(commands: Commands) -> None:
    size = commands.add("size", _size, "bytes and memory of bundles, bytes of the runtime",
                        example="bundle-float32 bundle")
    add_bundles(size)
    size.add_argument("--platforms", action="store_true",
                      help="also of the runtime on x86_64 and aarch64, by its wheels (downloads)")
    add_json(size)


def _size(options: Namespace) -> None:
    from benchmarks.cost.size import measure_size, size_table

    content = measure_size(options.bundles, platforms=options.platforms)
    if options.json:
        print_result("benchmarks size", content)
    else:
        print(size_table(content))


def add_roofline(commands: Commands) -> None:
    roofline = commands.add("roofline", _roofline, "how far networks are from the least time that "
                                                   "this machine could need",
                            example="bundle-float32 bundle")
    add_bundles(roofline)
    add_threads(roofline)
    add_rounds(roofline)
    add_json(roofline)


def _roofline(options: Namespace) -> None:
    from benchmarks.cost.roofline import measure_roofline, roofline_tables

    content = measure_roofline(options.bundles, threads=options.threads, rounds=options.rounds)
    if options.json:
        print_result("benchmarks roofline", content)
    else:
        print(roofline_tables(content))
