"""Whether a device has become slower since it was last measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.compare import unlike_conditions
from edge_runtime.command import table
from edge_runtime.errors import UsageError

MAX_RATIO = 1.1  # of medians

Content = Mapping[str, Any]


def compare_latency(now: Content, before: Content, *, force: bool = False) -> list[dict[str, Any]]:
    """{"name", "before_ms", "now_ms", "ratio", "slower"} of each bundle that was measured both
    times, by what `latency` found. UsageError where the conditions are unlike, unless `force`."""
    unlike = unlike_conditions(before["conditions"], now["conditions"])
    if unlike and not force:
        raise UsageError(f"these results cannot be compared: {'; '.join(unlike)}; measure both "
                         "under like conditions, or compare nevertheless with --force")
    earlier = {_key(result): result["median_ms"]["total"] for result in before["results"]}
    rows = []
    for result in now["results"]:
        if _key(result) in earlier:
            old, new = earlier[_key(result)], result["median_ms"]["total"]
            rows.append({"name": result["name"], "before_ms": old, "now_ms": new,
                         "ratio": round(new / old, 3), "slower": new > MAX_RATIO * old})
    if not rows:
        raise UsageError("expected a bundle of the same name in both results, found "
                         f"{', '.join(r['name'] for r in now['results'])} and before "
                         f"{', '.join(r['name'] for r in before['results'])}")
    return rows


def _key(result: Content) -> tuple[str, str, int | None]:
    return result["name"], result["recipe"], result.get("threads")


def regression_table(rows: list[dict[str, Any]]) -> str:
    return table(["bundle", "before (ms)", "now (ms)", "times before", "slower by over 10 %"],
                 [[row["name"], f"{row['before_ms']:.2f}", f"{row['now_ms']:.2f}",
                   f"{row['ratio']:.2f}", "yes" if row["slower"] else "no"] for row in rows])
