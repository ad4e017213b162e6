"""The results of `python -m benchmarks device` in words, beside the counts of an earlier result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.results.schema import read_result
from edge_runtime.console.output import table
from edge_runtime.errors import UsageError

LIMIT = 0.01  # ten times and more above what counts differ by from run to run


def read_baseline(file: Path) -> dict[str, Any]:
    """What `--json` printed. UsageError where it is something else."""
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        _counts_by_network(content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{file}: expected what 'python -m benchmarks device --json' printed, "
                         f"found something else ({type(error).__name__}: {error})") from None
    return content


def regressions(content: Mapping[str, Any], earlier: Mapping[str, Any]) -> list[str]:
    """A line for each network that takes over LIMIT more instructions than before.

    UsageError where no network was counted both times.
    """
    now, before = _counts_by_network(content), _counts_by_network(earlier)
    both = [key for key in now if key in before]
    if not both:
        raise UsageError("the baseline has counts of none of these bundles on these devices; "
                         "count the same bundles, by the same paths, or leave out --baseline")
    return [f"{', '.join(key)}: {now[key]:.2f} million instructions an inference, "
            f"{before[key]:.2f} before ({now[key] / before[key] - 1:+.1%})"
            for key in both if now[key] > (1 + LIMIT) * before[key]]


def _counts_by_network(content: Mapping[str, Any]) -> dict[tuple[str, ...], float]:
    """By bundle, processor, interpreter (of any version) and network."""
    return {(row["name"], row["cpu"], row["interpreter"].split()[0], part): float(count)
            for row in content["results"]
            for part, count in (row["million_instructions"] or {}).items() if part != "total"}


Row = Mapping[str, Any]


def device_section(results: Path) -> str:
    """Of the committed result."""
    file = results / "emulated-devices.json"
    if not file.is_file():
        return "Emulated devices: not run."
    return device_table(read_result(file))


def device_table(content: Mapping[str, Any]) -> str:
    """A row for each bundle and interpreter, with the counts on each device, and below what agrees
    and which recipe takes the fewest instructions where."""
    rows = content["results"]
    cpus = {row["cpu"]: row["board"] for row in rows}
    groups: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        groups.setdefault((row["name"], row["interpreter"]), {})[row["cpu"]] = row
    lines = [[f"`{name}`", _outputs(next(iter(found.values()))), interpreter,
              *(_counts(found.get(cpu)) for cpu in cpus), _largest(found.values())]
             for (name, interpreter), found in groups.items()]
    header = ["bundle", "outputs", "interpreter", *(f"{cpu} ({cpus[cpu]})" for cpu in cpus),
              "scores differ by"]
    return "\n".join([table(header, lines), "", *_sentences(content)])


def fewest(rows: Sequence[Row]) -> dict[str, Row]:
    """By processor, the bundle that takes the fewest instructions, among those of most people; the
    first of those that are alike within LIMIT."""
    counted_rows = [row for row in rows if row["million_instructions"]]
    most = max((row["people"] for row in counted_rows), default=0)
    best: dict[str, Row] = {}
    for row in counted_rows:
        least = best.get(row["cpu"])
        if row["people"] == most and (
                least is None or _total(row) < (1 - LIMIT) * _total(least)):
            best[row["cpu"]] = row
    return best


def _sentences(content: Mapping[str, Any]) -> list[str]:
    rows = content["results"]
    known = content["conditions"]
    certified = [row for row in rows if row["certified"]]
    spreads = [row["spread"] for row in rows if row["spread"] is not None]
    parts = [f"Million instructions of one inference, face + voice network, on {known['emulator']}"
             ", one thread" + (f"; they repeat within {100 * max(spreads):.3f} %." if spreads
                               else "; not counted.")]
    if best := fewest(rows):
        parts.append("Fewest: "
                     + ", ".join(f"`{row['name']}` on {cpu}" for cpu, row in best.items())
                     + ".")
    if certified:
        same = sum(row["same_decisions"] for row in certified)
        parts.append(f"Decisions of certified bundles as on {known['machine']}: {same} of "
                     f"{sum(row['decisions'] for row in certified)}.")
    alike = dict.fromkeys(f"`{row['name']}`" for row in rows
                          if set(row["equal_to"]) - {"here"})
    parts.append(f"The same to the last bit on both processors: {', '.join(alike) or 'none'}.")
    unlike = [f"{row['name']} on {row['cpu']}" for row in rows if not row["agrees"]]
    parts.append(f"Outputs differ by more than rounding: {', '.join(unlike) or 'none'}.")
    return [" ".join(parts)]


def _outputs(row: Row) -> str:
    size = f", face {row['image_size']} px" if row["image_size"] else ""
    return f"{row['people']} people{size}"


def _counts(row: Row | None) -> str:
    if row is None or row["million_instructions"] is None:
        return "-"
    parts = [f"{count:.1f}" for part, count in row["million_instructions"].items()
             if part != "total"]
    return " + ".join(parts) + (f" = {_total(row):.1f}" if len(parts) > 1 else "")


def _total(row: Row) -> float:
    total: float = row["million_instructions"]["total"]
    return total


def _largest(rows: Iterable[Row]) -> str:
    return f"{max(d['scores'] for row in rows for d in row['largest_difference'].values()):.1e}"
