"""Counts of instructions beside those of an earlier result: the figure for regressions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_runtime.errors import UsageError

LIMIT = 0.01  # ten times and more above what counts differ by from run to run


def read_baseline(file: Path) -> dict[str, Any]:
    """What `--json` printed. UsageError where it is something else."""
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        _counts(content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{file}: expected what 'python -m benchmarks device --json' printed, "
                         f"found something else ({type(error).__name__}: {error})") from None
    return content


def regressions(content: Mapping[str, Any], earlier: Mapping[str, Any]) -> list[str]:
    """A line for each network that takes over LIMIT more instructions than before.

    UsageError where no network was counted both times.
    """
    now, before = _counts(content), _counts(earlier)
    both = [key for key in now if key in before]
    if not both:
        raise UsageError("the baseline has counts of none of these bundles on these devices; "
                         "count the same bundles, by the same paths, or leave out --baseline")
    return [f"{', '.join(key)}: {now[key]:.2f} million instructions an inference, "
            f"{before[key]:.2f} before ({now[key] / before[key] - 1:+.1%})"
            for key in both if now[key] > (1 + LIMIT) * before[key]]


def _counts(content: Mapping[str, Any]) -> dict[tuple[str, ...], float]:
    """By bundle, processor, interpreter (of any version) and network."""
    return {(row["name"], row["cpu"], row["interpreter"].split()[0], part): float(count)
            for row in content["results"]
            for part, count in (row["million_instructions"] or {}).items() if part != "total"}
