"""The table of `python -m convert support`: which recipe can be applied to which family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_runtime.output import table


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
