"""Charts as SVG, in the colours of the page: bars, lines with their intervals, points; and which of
them is drawn of each kind of result.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 640, 340
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 14, 46
_BAR, _GAP, _LABEL = 16, 12, 190


@dataclass(frozen=True)
class Point:
    """low, high: the interval of y, where there is one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    label: str = ""


def bars(title: str, rows: Mapping[str, Mapping[str, float]], unit: str) -> str:
    """A group of horizontal bars for each row, one for each of its series, from 0."""
    series = list(dict.fromkeys(name for values in rows.values() for name in values))
    most = max(value for values in rows.values() for value in values.values())
    room = WIDTH - _LABEL - 70
    y, parts = 4.0, []
    for row, values in rows.items():
        middle = y + len(values) * _BAR / 2 + 5
        parts.append(f'<text class="label" x="{_LABEL - 8}" y="{middle:.0f}" text-anchor="end">'
                     f"{html.escape(row)}</text>")
        for name, value in values.items():
            long = max(room * value / most, 1)
            parts.append(
                f'<rect class="s{series.index(name)} fill" x="{_LABEL}" y="{y:.0f}" '
                f'width="{long:.1f}" height="{_BAR - 2}" rx="2"><title>{html.escape(row)}, '
                f"{html.escape(name)}: {value:g} {unit}</title></rect>"
                f'<text class="value" x="{_LABEL + long + 6:.1f}" y="{y + _BAR - 4:.0f}">'
                f"{value:.3g}</text>")
            y += _BAR
        y += _GAP
    return _figure(title, f"{title} ({unit})", series, "".join(parts), round(y), marks="fill")


def lines(
    title: str, series: Mapping[str, Sequence[Point]], x_label: str, y_label: str, *,
    falling: bool = False,
) -> str:
    """A line for each series; falling: x from high to low, so that it gets worse to the right."""
    points = [point for row in series.values() for point in row]
    axes = _Axes.around(points, falling)
    parts = [axes.drawn(x_label, y_label)]
    for number, (name, row) in enumerate(series.items()):
        path = " ".join(f"{axes.x(p.x):.1f},{axes.y(p.y):.1f}" for p in row)
        parts.append(f'<polyline class="s{number} line" points="{path}"/>')
        parts += [_interval(axes, point, number) + _dot(axes, point, number, name)
                  for point in row if len(row) <= 20]
    return _figure(title, title, list(series), "".join(parts), HEIGHT, marks="line")


def points(title: str, row: Sequence[Point], x_label: str, y_label: str) -> str:
    """Points with their labels; what lies close together is told apart by pointing at it."""
    axes = _Axes.around(row, False)
    taken: list[tuple[float, float]] = []
    parts = [axes.drawn(x_label, y_label)]
    for point in row:
        parts.append(_interval(axes, point, 0) + _dot(axes, point, 0, point.label))
        x, y = axes.x(point.x), axes.y(point.y)
        if all(abs(x - left) > 110 or abs(y - top) > 14 for left, top in taken):
            taken.append((x, y))
            side = "end" if x > WIDTH - 130 else "start"
            shift = -8 if side == "end" else 8
            parts.append(f'<text class="label" x="{x + shift:.1f}" y="{y - 7:.1f}" '
                         f'text-anchor="{side}">{html.escape(point.label)}</text>')
    return _figure(title, title, [], "".join(parts), HEIGHT)


@dataclass(frozen=True)
class _Axes:
    x_from: float
    x_to: float
    y_from: float
    y_to: float
    x_log: bool
    y_most: float

    @classmethod
    def around(cls, points: Sequence[Point], falling: bool) -> _Axes:
        xs = [point.x for point in points]
        lows = [point.y if point.low is None else point.low for point in points]
        highs = [point.y if point.high is None else point.high for point in points]
        margin = max(0.06 * (max(highs) - min(lows)), 0.1)
        x_log = min(xs) > 0 and max(xs) > 10 * min(xs)
        space = 0.0 if x_log else max(0.05 * (max(xs) - min(xs)), 1e-9)
        low, high = min(xs) - space, max(xs) + space
        if x_log:
            low, high = low * 0.9, high * 1.1
        return cls(*((high, low) if falling else (low, high)), min(lows) - margin,
                   max(highs) + margin, x_log, max(highs) if max(highs) <= 100 else math.inf)

    def x(self, value: float) -> float:
        low, high, at = ((math.log(n) for n in (self.x_from, self.x_to, value)) if self.x_log
                         else (self.x_from, self.x_to, value))
        return LEFT + (WIDTH - LEFT - RIGHT) * (at - low) / (high - low)

    def y(self, value: float) -> float:
        share = (value - self.y_from) / (self.y_to - self.y_from)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    def drawn(self, x_label: str, y_label: str) -> str:
        bottom = HEIGHT - BOTTOM
        low, high = sorted((self.x_from, self.x_to))
        parts = [f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{bottom}" '
                 f'y2="{bottom}"/>']
        for tick in _ticks(self.y_from, self.y_to):
            if tick > self.y_most:
                continue
            y = self.y(tick)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" '
                         f'y2="{y:.1f}"/><text class="tick" x="{LEFT - 7}" y="{y + 4:.1f}" '
                         f'text-anchor="end">{tick:g}</text>')
        for tick in _log_ticks(low, high) if self.x_log else _ticks(low, high):
            parts.append(f'<text class="tick" x="{self.x(tick):.1f}" y="{bottom + 17}" '
                         f'text-anchor="middle">{tick:g}</text>')
        parts.append(f'<text class="name" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" '
                     f'text-anchor="middle">{html.escape(x_label)}</text>'
                     f'<text class="name" transform="translate(13 {(TOP + bottom) / 2}) '
                     f'rotate(-90)" text-anchor="middle">{html.escape(y_label)}</text>')
        return "".join(parts)


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough)
    return [round(step * n, 10) for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [digit * 10.0**power for power in powers for digit in (1, 2, 5)
            if low <= digit * 10.0**power <= high]


def _dot(axes: _Axes, point: Point, number: int, name: str) -> str:
    return (f'<circle class="s{number} fill" cx="{axes.x(point.x):.1f}" '
            f'cy="{axes.y(point.y):.1f}" r="4"><title>{html.escape(name)}: {point.x:.4g}, '
            f"{point.y:.4g}{_said(point)}</title></circle>")


def _said(point: Point) -> str:
    return "" if point.low is None else f" ({point.low:.4g} to {point.high:.4g})"


def _interval(axes: _Axes, point: Point, number: int) -> str:
    if point.low is None or point.high is None:
        return ""
    x = axes.x(point.x)
    return (f'<line class="s{number} whisker" x1="{x:.1f}" x2="{x:.1f}" '
            f'y1="{axes.y(point.low):.1f}" y2="{axes.y(point.high):.1f}"/>')


def _figure(
    title: str, said: str, series: Sequence[str], drawn: str, height: int, marks: str = ""
) -> str:
    keys = "".join(f'<span class="key"><i class="s{number} {marks}"></i>{html.escape(name)}</span>'
                   for number, name in enumerate(series)) if len(series) > 1 else ""
    return (f"<figure><figcaption>{html.escape(said)}{keys}</figcaption>"
            f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{html.escape(title)}">'
            f"{drawn}</svg></figure>")


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
