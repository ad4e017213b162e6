"""Two result files beside each other, if they were measured under the same conditions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_runtime.command import table
from edge_runtime.errors import UsageError

SAME = ("cpu", "cores", "governor", "throttled", "memory_mib", "system", "python", "interpreter",
        "threads")
# How far apart they may be: shares of the larger, load and degrees.
_MAX_CLOCK, _MAX_LOAD, _MAX_CELSIUS = 0.1, 1.0, 10.0


def compare_files(before: Path, after: Path, *, force: bool = False) -> dict[str, Any]:
    """{"unlike": [reasons], "results": [{"name", "before_ms", "after_ms", "ratio"}]}.

    Raises UsageError for a file that holds no times, for two without a result in common, and,
    unless `force`, for files of unlike conditions, with the reasons.
    """
    contents = [_read(path) for path in (before, after)]
    unlike = unlike_conditions(*(content["conditions"] for content in contents))
    if unlike and not force:
        raise UsageError(f"{before} and {after} cannot be compared: {'; '.join(unlike)}; measure "
                         "both again under the same conditions, or compare them with --force")
    first, second = (_medians(content) for content in contents)
    rows = [{"name": name, "before_ms": ms, "after_ms": second[name],
             "ratio": round(second[name] / ms, 3)} for name, ms in first.items() if name in second]
    if not rows:
        raise UsageError(f"expected results of the same names, found {', '.join(first)} in "
                         f"{before} and {', '.join(second)} in {after}")
    return {"unlike": unlike, "results": rows}


def unlike_conditions(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
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


def _medians(content: Mapping[str, Any]) -> dict[str, float]:
    """By name, and by threads where they differ within a file."""
    found = {}
    for result in content["results"]:
        name = result["name"]
        if isinstance(content["conditions"].get("threads"), list):
            name += f", {result['threads']} threads"
        ms = result["median_ms"]
        found[name] = ms["total"] if isinstance(ms, dict) else ms
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["conditions"] and all(row["name"] and row["median_ms"]
                                         for row in content["results"]):
            return dict(content)
    except FileNotFoundError:
        raise UsageError(f"{path}: no such result file") from None
    except (ValueError, KeyError, TypeError):
        pass
    raise UsageError(f"{path}: expected what 'latency --json' or 'peers --json' printed, found "
                     "something else")


def compare_table(content: Mapping[str, Any]) -> str:
    """The results as a Markdown table."""
    return table(["", "before (ms)", "after (ms)", "after / before"],
                 [[row["name"], f"{row['before_ms']:.2f}", f"{row['after_ms']:.2f}",
                   f"{row['ratio']:.2f}"] for row in content["results"]])
