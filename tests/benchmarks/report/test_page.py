"""The page of all results: nothing beside it, tables that sort, charts that read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchmarks.report.charts import Point, bars, lines, points
from benchmarks.report.page import to_html, write_page
from benchmarks.results.schema import RESULTS

VOID = {"meta", "br", "link", "img"}


class Nesting(HTMLParser):
    """Every tag that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [str(given[key]) for key in ("id",) if key in given]
        self.links += [str(given[key]) for key in ("href", "src") if key in given]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Such as <line .../> in SVG."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "page.html"
    assert write_page(file, RESULTS) == []
    return file


def test_the_page_stands_alone(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    nesting = Nesting()
    nesting.feed(text)
    assert nesting.open == []
    assert nesting.links and all(link.startswith("#") for link in nesting.links)
    assert {link[1:] for link in nesting.links} <= set(nesting.ids)
    assert len(set(nesting.ids)) == len(nesting.ids)
    assert not re.search(r"https?://|@import|url\(", text)


def test_it_shows_the_figures_of_the_files(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    latency = json.loads((RESULTS / "latency.json").read_text())
    for result in latency["results"]:
        assert f"<td>{result['median_ms']['total']:.2f}</td>" in text
    for file in RESULTS.glob("*.json"):
        assert f'<th scope="row">{file.stem}</th>' in text


def test_markup() -> None:
    text = to_html("A *b* **c** `d_*e*`, x < y.\n\n| h | i |\n| - | -: |\n| `a` | 1 |\n\n- one\n"
                   "- two\n\n1. first", "name")
    assert text == (
        "<p>A <em>b</em> <strong>c</strong> <code>d_*e*</code>, x &lt; y.</p>\n"
        '<div class="scroll" tabindex="0" role="region" aria-label="name"><table><thead><tr>'
        '<th scope="col">h</th><th scope="col">i</th></tr></thead><tbody><tr><th scope="row">'
        "<code>a</code></th><td>1</td></tr></tbody></table></div>\n"
        "<ul><li>one</li><li>two</li></ul>\n<ol><li>first</li></ol>")


@pytest.mark.parametrize("chart", [
    bars("B <1>", {"a & b": {"x": 0.0, "y": 3.0}, "c": {"x": 1e-3, "y": 2.0}}, "ms"),
    lines("L", {"a": [Point(20, 99.0, 98, 100), Point(0, 40.0, 30, 50)],
                "b": [Point(20, 100.0), Point(0, 100.0)]}, "x", "y", falling=True),
    points("P", [Point(2.0, 99.9, 99.5, 100, "one"), Point(73.0, 99.9, label="two")], "x", "y"),
    points("one point alone", [Point(0.0, 100.0, label="a")], "x", "y"),
])
def test_charts_stay_in_their_frame(chart: str) -> None:
    svg = ElementTree.fromstring(chart[chart.index("<svg") : chart.index("</svg>") + 6])
    _, _, width, height = (float(n) for n in svg.attrib["viewBox"].split())
    for mark in svg.iter():
        for key in ("x", "x1", "x2", "cx"):
            assert 0 <= float(mark.attrib.get(key, 0)) <= width
        for key in ("y", "y1", "y2", "cy"):
            assert 0 <= float(mark.attrib.get(key, 0)) <= height + 1


def test_lines_that_fall_go_from_high_to_low() -> None:
    drawn = lines("L", {"a": [Point(20, 99.0), Point(0, 40.0)]}, "x", "y", falling=True)
    (path,) = re.findall(r'points="([^"]+)"', drawn)
    (x_first, y_first), (x_last, y_last) = (map(float, p.split(",")) for p in path.split())
    assert x_first < x_last and y_first < y_last


SORTED = """
<script>
const table = document.querySelectorAll("table")[1];
const heading = table.tHead.rows[0].cells[2];
const seen = [];
for (let i = 0; i < 2; i++) {
  heading.querySelector("button").click();
  seen.push(heading.getAttribute("aria-sort") + " " +
            [...table.tBodies[0].rows].map((row) => row.cells[2].textContent).join(" "));
}
document.body.replaceChildren(...seen.map((line) => {
  const found = document.createElement("output");
  found.textContent = line;
  return found;
}));
</script></body>
"""


def test_headings_sort(page: Path, tmp_path: Path) -> None:
    """In a browser: the times of the recipes rise, then fall."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium")
    changed = tmp_path / "page.html"
    text = page.read_text(encoding="utf-8")
    changed.write_text(text.replace("</body>", SORTED), encoding="utf-8")
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         f"--user-data-dir={tmp_path / 'profile'}", changed.as_uri()],
        capture_output=True, text=True, timeout=240)
    rising, falling = re.findall(r"<output>(\w+ [^<]+)</output>", done.stdout)
    times = [float(word) for word in rising.split()[1:]]
    assert rising.startswith("ascending") and times == sorted(times) and len(times) > 1
    assert falling == "descending " + " ".join(reversed(rising.split()[1:]))
