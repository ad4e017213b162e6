"""What is drawn of each kind of result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.page.charts import Point, bars, lines, points

Content = dict[str, Any]


def cost_chart(content: Content) -> str:
    """Median of each network by recipe, and by threads where several numbers were measured."""
    results = content["results"]
    several = len({result.get("threads") for result in results}) > 1
    labels = [f"{r['recipe']}, {r['threads']} threads" if several else r["recipe"] for r in results]
    return _charts(bars("Median of one inference", {
        label: {part: ms for part, ms in result["median_ms"].items() if part != "total"}
        for label, result in zip(labels, results, strict=True)}, "ms"))


def peers_chart(content: Content) -> str:
    return _charts(bars("Median of one face", {
        result["name"]: {"median": result["median_ms"]} for result in content["results"]}, "ms"))


def recipes_chart(content: Content) -> str:
    """Accuracy against time; what was not made is left out."""
    made = [entry for entry in content["recipes"] if not entry["reason"]]
    column = list(made[0]["accuracy"])[-1]
    return _charts(points(
        f"{column} against time",
        [_point(entry["median_ms"]["total"], entry, column, entry["recipe"]) for entry in made],
        "median of both networks (ms)", f"{column} (%), 95 % interval over people"))


def ladder_charts(content: Content) -> str:
    """Accuracy by column against noise, blur, darkness and the number of people."""
    rows: Sequence[Content] = content["rows"]
    whole = [row for row in rows if row["people"] == content["people"]]
    clean = [row for row in rows if row["condition"] == "clean"]
    charts = []
    for title, label, falling, chosen, x_of in (
            ("Noise in the clip", "speech over noise (dB)", True,
             [row for row in whole if row["snr_db"] is not None], lambda row: row["snr_db"]),
            ("Blurred faces", "sigma in % of the side", False,
             [row for row in whole if row["blur"] or row in clean], lambda row: 100 * row["blur"]),
            ("Dark faces", "light that is left (%)", True,
             [row for row in whole if row["light"] < 1 or row in clean],
             lambda row: 100 * row["light"]),
            ("Clean, by the number of people", "people to choose from", False, clean,
             lambda row: row["people"])):
        if len(chosen) > 1:
            charts.append(lines(title, _series(chosen, x_of), label, "accuracy (%)",
                                falling=falling))
    return _charts(*charts)


def _series(rows: Sequence[Content], x_of: Callable[[Content], float]) -> dict[str, list[Point]]:
    return {column: [_point(x_of(row), row, column) for row in rows]
            for column in rows[0]["accuracy"]}


def _point(x: float, row: Content, column: str, label: str = "") -> Point:
    low, high = row["interval"][column]
    return Point(x, 100 * row["accuracy"][column], 100 * low, 100 * high, label)


def open_set_chart(content: Content) -> str:
    """Strangers who get a name against enrolled people who do not get theirs."""
    return _charts(lines(
        "Both errors, threshold by threshold",
        {column: [Point(100 * fpir, 100 * fnir) for fpir, fnir in found["curve"]]
         for column, found in content["columns"].items()},
        "strangers who get a name (%)", "enrolled people without theirs (%)"))


def roofline_chart(content: Content) -> str:
    """Each network's floor, its layers one by one, and the whole."""
    return _charts(bars("Floor, layers alone, and the whole network", {
        f"{result['recipe']}, {part}": {"floor": network["floor_ms"],
                                        "layers alone": network["alone_ms"],
                                        "whole network": network["median_ms"]}
        for result in content["results"] for part, network in result["networks"].items()}, "ms"))


def _charts(*charts: str) -> str:
    return f'<div class="charts">{"".join(charts)}</div>'
