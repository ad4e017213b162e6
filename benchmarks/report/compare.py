"""Two results beside each other, if they were measured under the same conditions; and the one file
of all results that a device is measured for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cost.latency import measure_latency
from benchmarks.cost.roofline import measure_roofline
from benchmarks.cost.size import measure_size
from benchmarks.cost.timing import cpu_name, threads_text
from benchmarks.cost.untrained import Say
from benchmarks.results.schema import read_result
from edge_runtime.console.output import table
from edge_runtime.errors import UsageError

TIMED = ("benchmarks latency", "benchmarks peers", "benchmarks all")
MAX_RATIO = 1.1  # of medians: from there on it has become slower
SAME = ("cpu", "cores", "governor", "throttled", "memory_mib", "system", "python", "interpreter",
        "threads")
# How far apart they may be: shares of the larger, load and degrees.
_MAX_CLOCK, _MAX_LOAD, _MAX_CELSIUS = 0.1, 1.0, 10.0

Content = Mapping[str, Any]


def read_times(path: Path, kinds: Sequence[str] = TIMED) -> dict[str, Any]:
    """What `latency` or `peers` found, {"results", "conditions", ...}, from a result file of one
    of these kinds. UsageError for any other."""
    content = read_result(path)
    if content["kind"] not in kinds:
        raise UsageError(f"{path}: expected a result of {', '.join(kinds)}, found "
                         f"'{content['kind']}'")
    times: dict[str, Any] = content.get("latency", content)
    return times


def compare_times(before: Content, after: Content, *, force: bool = False) -> dict[str, Any]:
    """{"unlike": [reasons], "results": [{"name", "before_ms", "after_ms", "ratio", "slower"}]}, by
    what `read_times` gives.

    UsageError for two without a result in common, and, unless `force`, where conditions or recipes
    are unlike, with the reasons.
    """
    first, second = ({(result["name"], result.get("threads")): result
                      for result in content["results"]} for content in (before, after))
    both = [key for key in first if key in second]
    if not both:
        raise UsageError("expected a result of the same name in both, found "
                         f"{', '.join(name for name, _ in first)} and "
                         f"{', '.join(name for name, _ in second)}")
    unlike = [*unlike_conditions(before["conditions"], after["conditions"]),
              *(f"{key[0]} is {one} in one and {other} in the other" for key in both
                if (one := first[key].get("recipe")) != (other := second[key].get("recipe")))]
    if unlike and not force:
        raise UsageError(f"these results cannot be compared: {'; '.join(unlike)}; measure both "
                         "under like conditions, or compare them with --force")
    several = len({threads for _, threads in first}) > 1
    rows = []
    for key in both:
        name, threads = key
        old, new = _median_ms(first[key]), _median_ms(second[key])
        rows.append({"name": f"{name}, {threads_text(threads)}" if several else name,
                     "before_ms": old, "after_ms": new, "ratio": round(new / old, 3),
                     "slower": new > MAX_RATIO * old})
    return {"unlike": unlike, "results": rows}


def unlike_conditions(first: Content, second: Content) -> list[str]:
    """Why two measurements say nothing about each other; empty where nothing speaks against it."""
    reasons = [f"{key} is {first.get(key)} in one and {second.get(key)} in the other"
               for key in SAME if first.get(key) != second.get(key)]
    for key, most in (("clock_mhz", _MAX_CLOCK * max(first.get("clock_mhz") or 0,
                                                     second.get("clock_mhz") or 0)),
                      ("load", _MAX_LOAD), ("celsius", _MAX_CELSIUS)):
        one, other = first.get(key), second.get(key)
        if (one is None) != (other is None) or (one is not None and abs(one - other) > most):
            reasons.append(f"{key} is {one} in one and {other} in the other")
    return reasons


def _median_ms(result: Content) -> float:
    ms = result["median_ms"]
    return float(ms["total"] if isinstance(ms, Mapping) else ms)


def compare_table(content: Content) -> str:
    """The results as a Markdown table, and what is unlike."""
    rows = table(["", "before (ms)", "after (ms)", "after / before", "slower by over 10 %"],
                 [[row["name"], f"{row['before_ms']:.2f}", f"{row['after_ms']:.2f}",
                   f"{row['ratio']:.2f}", "yes" if row["slower"] else "no"]
                  for row in content["results"]])
    return "\n".join([rows, *(f"unlike: {reason}" for reason in content["unlike"])])


def device_name() -> str:
    """What the board or the processor calls itself, as the name of a file."""
    return re.sub(r"[^a-z0-9]+", "-", cpu_name().lower()).strip("-") or "device"


def measure_all(paths: Sequence[Path], *, rounds: int = 200, say: Say = print) -> dict[str, Any]:
    """What `latency`, `size` and `roofline` find, by their names, and the device's own.

    roofline is null where the schema of .tflite files, which ai-edge-litert ships, is missing. Of
    bundles the folder's name is kept, and not where it lies: the file is made to be shared.
    """
    names = {str(path): path.resolve().name for path in paths}
    if len(set(names.values())) < len(paths):
        raise UsageError("expected bundles in folders of different names, found "
                         f"{', '.join(names.values())}")
    say("latency")
    found: dict[str, Any] = {"latency": measure_latency(paths, rounds=rounds)}
    say("size")
    found["size"] = measure_size(paths, tensorflow=False)
    say("roofline")
    try:
        found["roofline"] = measure_roofline(paths, rounds=rounds)
    except UsageError as error:
        say(f"roofline left out: {error}")
        found["roofline"] = None
    for part in found.values():
        for result in part["results"] if part else ():
            result["name"] = names[result["name"]]
    return {"device": device_name(), **found}


def devices_table(devices: Mapping[str, dict[str, Any]]) -> str:
    """A row for each bundle on each device, by the name of its result file."""
    rows = [row for name, content in devices.items() for row in _device_rows(name, content)]
    return table(["device", "recipe", "both (ms)", "p90", "cold start (ms)", "memory (MiB)", "MB",
                  "times the floor", "interpreter", "date"], rows)


def _device_rows(name: str, content: dict[str, Any]) -> list[list[str]]:
    sizes = {result["name"]: result for result in content["size"]["results"]}
    floors = {result["name"]: result["total"]["ratio"]
              for result in (content["roofline"] or {"results": []})["results"]}
    rows = []
    for result in content["latency"]["results"]:
        bundle, cold = result["name"], result["cold"]
        floor = floors.get(bundle)
        rows.append([name, result["recipe"], f"{result['median_ms']['total']:.2f}",
                     f"{result['p90_ms']['total']:.2f}",
                     f"{cold['import_ms'] + cold['load_ms'] + cold['first_ms']:.0f}",
                     f"{cold['peak_mib']:.0f}", f"{sizes[bundle]['bytes']['total'] / 1e6:.2f}",
                     "-" if floor is None else f"{floor:.2f}",
                     content["latency"]["conditions"]["interpreter"], content["made_by"]["date"]])
    return rows
