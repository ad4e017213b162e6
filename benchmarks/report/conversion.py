"""What `python -m convert` found, as tables and result files: `sweep` over recipes, and `support`,
which recipe can be applied to which family.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from edge_runtime.console.output import percent, table

WORST_LAYERS = 5


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


def without_layers(content: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept as a result file: all figures of recipes, to six places. The error of each layer
    and the names of the representative samples stay in the sweep's own folder, `sweep.json`; of
    the layers, the worst of each network are kept."""
    names = {part: [name.partition(";")[0].partition("/")[2] or name for name in layers]
             for part, layers in content["layers"].items()}
    samples = content["samples"]
    kept = {**content, "samples": {
        "seed": samples["seed"], "digest": samples["digest"],
        "count": {modality: len(files) for modality, files in samples["files"].items()}}}
    kept["recipes"] = [_worst_layers(entry, names) for entry in content["recipes"]]
    del kept["layers"]
    found: dict[str, Any] = rounded(kept)
    return found


def _worst_layers(entry: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    kept = dict(entry)
    snr = kept.pop("layer_snr_db", None)
    if snr is not None:
        kept["worst_layers_db"] = {part: dict(sorted(
            ((name, db) for name, db in zip(names[part], row, strict=True) if db is not None),
            key=lambda item: item[1])[:WORST_LAYERS]) for part, row in snr.items()}
    return kept


def rounded(value: Any) -> Any:
    """Floats to six places, in whatever they lie."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value


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


def support_table(content: Mapping[str, Any]) -> str:
    """A row for each recipe and a column for each family: how many times as fast as float32 it is
    there; a number in brackets stands for the reason below why it cannot be applied."""
    families = content["families"]
    cells = {(row["family"], cell["recipe"]): cell for row in families for cell in row["recipes"]}
    names = [cell["recipe"] for cell in families[0]["recipes"]]
    reasons: list[str] = []

    def shown(cell: Mapping[str, Any]) -> str:
        if not cell["reason"]:
            return f"{cell['ratio_to_float32']:.2f}"
        reason = cell["reason"].partition(": ")[2]
        if reason not in reasons:
            reasons.append(reason)
        return f"- [{reasons.index(reason) + 1}]"

    rows = [[row["family"], f"{row['parameters'] / 1e6:.1f}M",
             *(shown(cells[row["family"], name]) for name in names)] for row in families]
    known = content["conditions"]
    return "\n".join([
        f"Untrained networks for {content['people']} people, faces of {content['image_size']} "
        f"pixels: speed, times float32's. {known['threads']} thread, the recipes of a family in "
        f"turn, {known['cpu']}, {known['interpreter']}.", "",
        table(["family", "parameters", *names], rows),
        *([""] if reasons else []),
        *(f"{place}. {reason}" for place, reason in enumerate(reasons, 1))]) + "\n"
