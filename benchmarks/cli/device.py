"""`python -m benchmarks device`: bundles on emulated Raspberry Pis."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from benchmarks.cli.options import add_bundles, add_json
from benchmarks.device.cache import cache_folder
from edge_runtime.command import Commands
from edge_runtime.errors import UsageError
from edge_runtime.result_file import print_result


def add(commands: Commands) -> None:
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
    from benchmarks.device.baseline import read_baseline, regressions
    from benchmarks.device.check import measure_device
    from benchmarks.device.table import device_table

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
