"""Two results beside each other, if they were measured under the same conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.results import read_result
from benchmarks.timing import threads_text
from edge_runtime.errors import UsageError
from edge_runtime.output import table

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
