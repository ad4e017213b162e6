"""What `python -m benchmarks accuracy` found, as a table and as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.open_set import open_set_table
from edge_runtime.errors import UsageError
from edge_runtime.output import percent, table

Row = Mapping[str, Any]


def ladder_tables(content: Mapping[str, Any]) -> str:
    """A row for each condition: every column among all people, the last also among fewer."""
    rows: Sequence[Row] = content["rows"]
    columns = list(rows[0]["accuracy"])
    fewer = sorted({row["people"] for row in rows} - {content["people"]})
    by = {(row["condition"], row["people"]): row for row in rows}
    header = ["test accuracy in %", *columns, *(f"{columns[-1]} among {n}" for n in fewer)]
    cells = []
    for condition in dict.fromkeys(row["condition"] for row in rows):
        whole = by[condition, content["people"]]
        cells.append([condition, *(_with_interval(whole, column) for column in columns),
                      *(_with_interval(by[condition, n], columns[-1]) for n in fewer)])
    mark = " (synthetic people)" if content["synthetic"] else ""
    subsets = (f"; fewer people: the mean of {content['subsets']} draws of so many" if fewer
               else "")
    head = (f"{content['data']}{mark}, {content['recipe']}: {content['pairs']} pairs of "
            f"{content['people']} people, {content['interpreter']}, in brackets the 95 % interval "
            f"over people{subsets}.")
    unseen = content["open_set"]
    open_set = (f"\n\nOf people whom training has not seen, {unseen['enrolled']} enrolled from "
                f"{unseen['files_each']} faces and clips each and {unseen['strangers']} "
                f"strangers:\n\n{open_set_table(unseen)}" if unseen
                else f"\n\nOpen set: {content['open_set_reason']}.")
    return f"{head}\n\n{table(header, cells)}{open_set}"


def _with_interval(row: Row, column: str) -> str:
    low, high = row["interval"][column]
    return f"{percent(row['accuracy'][column])} ({percent(low)} to {percent(high)})"


def draw_ladders(folder: Path, content: Mapping[str, Any]) -> None:
    """noise.png, blur.png and light.png: accuracy against what spoils it, and people.png: against
    the number of people."""
    pyplot = _pyplot()
    folder.mkdir(parents=True, exist_ok=True)
    rows: Sequence[Row] = content["rows"]
    whole = [row for row in rows if row["people"] == content["people"]]
    clean = [row for row in rows if row["condition"] == "clean"]
    for name, label, chosen in (
            ("noise", "speech over noise (dB)", [(row["snr_db"], row) for row in whole
                                                 if row["snr_db"] is not None]),
            ("blur", "blur (sigma in % of the face's side)",
             [(100 * row["blur"], row) for row in whole if row["blur"] or row in clean]),
            ("light", "light that is left (%)",
             [(100 * row["light"], row) for row in whole if row["light"] < 1 or row in clean]),
            ("people", "people to choose from", [(row["people"], row) for row in clean])):
        if not chosen:
            continue
        figure, axis = pyplot.subplots(figsize=(6, 4), layout="constrained")
        for column in chosen[0][1]["accuracy"]:
            points = [100 * row["accuracy"][column] for _, row in chosen]
            spread = [[100 * max(side, 0) for side in sides] for sides in zip(*(
                (row["accuracy"][column] - row["interval"][column][0],
                 row["interval"][column][1] - row["accuracy"][column]) for _, row in chosen),
                strict=True)]
            axis.errorbar([x for x, _ in chosen], points, yerr=spread, fmt="o-", capsize=3,
                          label=column)
        axis.set(xlabel=label, ylabel="test accuracy (%)",
                 title=f"{content['data']}, {content['recipe']}")
        axis.legend()
        axis.grid(alpha=0.3)
        figure.savefig(folder / f"{name}.png", dpi=120)
        pyplot.close(figure)


def _pyplot() -> Any:
    try:
        import matplotlib
    except ModuleNotFoundError:
        raise UsageError("--plots needs matplotlib, found none; pip install matplotlib") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
