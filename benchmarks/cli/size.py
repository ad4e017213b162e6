"""`python -m benchmarks size`: bytes and memory of bundles, bytes of the runtime."""

from __future__ import annotations

from argparse import Namespace

from benchmarks.cli.options import add_bundles, add_json
from edge_runtime.command import Commands
from edge_runtime.result_file import print_result


def add(commands: Commands) -> None:
    size = commands.add("size", _size, "bytes and memory of bundles, bytes of the runtime",
                        example="bundle-float32 bundle")
    add_bundles(size)
    size.add_argument("--platforms", action="store_true",
                      help="also of the runtime on x86_64 and aarch64, by its wheels (downloads)")
    add_json(size)


def _size(options: Namespace) -> None:
    from benchmarks.size import measure_size, size_table

    content = measure_size(options.bundles, platforms=options.platforms)
    if options.json:
        print_result("benchmarks size", content)
    else:
        print(size_table(content))
