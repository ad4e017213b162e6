"""The table of `python -m convert sweep`: what each recipe costs and brings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from edge_runtime.command import percent, table


def recipes_table(content: Mapping[str, Any]) -> str:
    """A row for each recipe; one that could not be made says why below."""
    conditions, mark = content["conditions"], ", synthetic people" if content["synthetic"] else ""
    made = [entry for entry in content["recipes"] if not entry["reason"]]
    columns = list(made[0]["accuracy"])
    header = ["recipe", "MB", "gzip", *(f"{column} (%)" for column in columns), "change (points)",
              "agrees (%)", "EER (%)", "median (ms)", "p90", "times float32", "MiB", "pieces",
              "certified"]
    ensemble = "ensemble (of scaled scores)" if columns[-1] == "ensemble" else columns[-1]
    lines = [f"{content['family']}, {content['people']} people, all {content['combinations']} "
             f"combinations of {content['data']}'s test files{mark}; change and agreement: of the "
             f"{ensemble} against float32, with the 95 % interval over people. Times: "
             f"{conditions['threads']} thread, recipes in turn, {conditions['cpu']}, "
             f"{conditions['interpreter']}.",
             "", table(header, [_cells(entry, columns) for entry in content["recipes"]])]
    if reasons := [f"- {e['reason']}" for e in content["recipes"] if e["reason"]]:
        lines += ["", *reasons]
    if doubts := [f"- {e['recipe']}: {e['certified_reason']}" for e in made if not e["certified"]]:
        lines += ["", "Not certified:", "", *doubts]
    return "\n".join(lines) + "\n"


def operations_table(content: Mapping[str, Any]) -> str:
    """How many operations of each kind each recipe leaves, all networks together."""
    made = [entry for entry in content["recipes"] if not entry["reason"]]
    counts = [Counter[str]() for _ in made]
    for count, entry in zip(counts, made, strict=True):
        for operations in entry["operations"].values():
            count.update(operations)
    kinds = sorted({kind for count in counts for kind in count})
    return table(["operations", *(entry["recipe"] for entry in made)],
                 [[kind, *(str(count[kind] or "-") for count in counts)] for kind in kinds]) + "\n"


def _cells(entry: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    if entry["reason"]:
        return [entry["recipe"], *["-"] * (10 + len(columns)), "not made"]
    low, high = (100 * share for share in entry["change_interval"])
    pieces = [count for part, count in entry["partitions"].items() if part != "total"]
    return [entry["recipe"], f"{entry['bytes']['total'] / 1e6:.2f}",
            f"{entry['gzip_bytes']['total'] / 1e6:.2f}",
            *(percent(entry["accuracy"][column]) for column in columns),
            f"{100 * entry['change']:+.1f} ({low:+.1f} to {high:+.1f})",
            percent(entry["agreement"]), f"{100 * entry['equal_error_rate']:.2f}",
            f"{entry['median_ms']['total']:.2f}", f"{entry['p90_ms']['total']:.2f}",
            f"{entry['ratio_to_float32']:.2f}", f"{entry['peak_mib']:.0f}",
            " + ".join("-" if count is None else str(count) for count in pieces),
            "yes" if entry["certified"] else "no"]
