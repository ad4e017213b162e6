"""A long load, cut short."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from benchmarks.cost.sustained import (
    measure_sustained,
    plot_sustained,
    seconds_of,
    sustained_table,
)
from edge_runtime.errors import UsageError


def test_points_over_time(
    small_bundles: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [str(path) for path in small_bundles.values()][:2]
    content = measure_sustained([Path(name) for name in names], 2.2)
    points = content["points"]
    assert [round(point["at_s"]) for point in points] == [1, 2, 2]
    for point in points:
        assert list(point["median_ms"]) == names and min(point["median_ms"].values()) > 0
        assert set(point) == {"at_s", "median_ms", "clock_mhz", "celsius", "throttled"}
    assert content["conditions"]["seconds"] == 2.2 and content["conditions"]["threads"] == 1
    lines = sustained_table(content).splitlines()
    assert len(lines) == 2 + 3 and names[0] in lines[0]
    points[1] |= {"celsius": 81.0, "throttled": True}  # as on a hot Raspberry Pi
    plot_sustained(content, tmp_path / "curve.png")
    with Image.open(tmp_path / "curve.png") as picture:
        assert picture.width > 400
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match="pip install matplotlib, or keep to the table"):
        plot_sustained(content, tmp_path / "curve.png")


def test_a_long_curve_is_thinned_in_the_table() -> None:
    points = [{"at_s": float(s), "median_ms": {"a": 1.0}, "clock_mhz": 1800.0, "celsius": 60.0,
               "throttled": s > 50} for s in range(120)]
    lines = sustained_table({"points": points}).splitlines()[2:]
    assert len(lines) == 12
    assert lines[0].startswith("| 0 ") and lines[-1].startswith("| 119 ")
    assert "no" in lines[0] and "yes" in lines[-1]


def test_durations() -> None:
    assert [seconds_of(text) for text in ("90s", "30m", "1.5h")] == [90, 1800, 5400]
    for text in ("", "30", "m", "-1s", "0s", "1d"):
        with pytest.raises(UsageError, match="such as 90s, 30m or 1h"):
            seconds_of(text)
