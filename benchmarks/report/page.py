"""All result files as one page: the tables of docs/, sortable, and charts.

The tables are written in Markdown; what they use of it (paragraphs, lists, code, bold) becomes
HTML here.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cost.roofline import roofline_tables
from benchmarks.recognition.accuracy import ladder_tables
from benchmarks.recognition.open_set import open_set_text
from benchmarks.report.charts import (
    cost_chart,
    ladder_charts,
    open_set_chart,
    peers_chart,
    recipes_chart,
    roofline_chart,
)
from benchmarks.report.conversion import recipes_table
from benchmarks.report.tables import (
    accuracy_table,
    cost_table,
    devices,
    families_tables,
    gallery,
    kiosk,
    peers,
    support,
)
from benchmarks.results.schema import read_results
from edge_runtime.errors import UsageError

HERE = Path(__file__).parent
Content = dict[str, Any]
Chart = Callable[[Content], str]

# Heading, table of the whole folder, the result file that is drawn, and by what.
_WHOLE: tuple[tuple[str, Callable[[Path], str], str, Chart | None], ...] = (
    ("Accuracy", accuracy_table, "kiosk95", None),
    ("Latency and size", cost_table, "latency", cost_chart),
    ("Peers", peers, "peers", peers_chart),
    ("Devices", devices, "", None),
    ("Families and fusions", families_tables, "", None),
    ("Recipes by family", support, "support", None),
    ("Searching enrolled people", gallery, "gallery", None),
    ("A kiosk under load", kiosk, "kiosk", None),
)
# Heading, table and chart of each result file of a kind.
_EACH: tuple[tuple[str, str, Callable[[Content], str], Chart], ...] = (
    ("Recipes", "convert sweep", recipes_table, recipes_chart),
    ("What spoils it", "benchmarks accuracy", ladder_tables, ladder_charts),
    ("People whom training has not seen", "benchmarks open-set", open_set_text, open_set_chart),
    ("How far from the least possible", "benchmarks roofline", roofline_tables, roofline_chart),
)


def write_page(file: Path, folder: Path) -> list[str]:
    """Write the page; a line for each result file that was left out."""
    results, problems = read_results(folder)
    sections = [*_whole(folder, results, problems), *_each(results),
                ("Result files", _files(results))]
    named = [problem.replace(f"{folder}/", "") for problem in dict.fromkeys(problems)]
    file.write_text(_page(sections, named), encoding="utf-8")
    return problems


def _whole(
    folder: Path, results: Mapping[str, Content], problems: list[str]
) -> list[tuple[str, str]]:
    sections = []
    for heading, make, name, chart in _WHOLE:
        try:
            text = make(folder)
        except UsageError as error:
            problems.append(str(error))
            continue
        if text.endswith("not run."):
            continue
        drawn = chart(results[name]) if chart and name in results else ""
        sections.append((heading, drawn + to_html(text, heading)))
    return sections


def _each(results: Mapping[str, Content]) -> list[tuple[str, str]]:
    sections = []
    for heading, kind, make, chart in _EACH:
        found = {name: content for name, content in results.items() if content["kind"] == kind}
        if found:
            sections.append((heading, "".join(
                f"<h3>{html.escape(name)}</h3>{chart(content)}{to_html(make(content), name)}"
                for name, content in found.items())))
    return sections


def _files(results: Mapping[str, Content]) -> str:
    lines = ["| file | made by | version | date |", "|---|---|---|---|", *(
        f"| {name} | `{content['made_by']['command']}` | {content['made_by']['version']} | "
        f"{content['made_by']['date']} |" for name, content in results.items())]
    return to_html("\n".join(lines), "Result files")


def _page(sections: list[tuple[str, str]], problems: list[str]) -> str:
    links = "".join(f'<a href="#{_anchor(heading)}">{heading}</a>' for heading, _ in sections)
    left_out = "".join(f"<p>Left out: {inline(problem)}</p>" for problem in problems)
    body = "".join(f'<section><h2 id="{_anchor(heading)}">{heading}</h2>{text}</section>'
                   for heading, text in sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Visavox: what it costs, and how well it does</title>
<style>
{(HERE / "page.css").read_text(encoding="utf-8")}</style>
</head>
<body>
<header><h1>Visavox: what it costs, and how well it does</h1>
<button id="theme" type="button" hidden></button></header>
<p>Every figure is from a result file that is named at the end. A column's heading sorts by it.</p>
{f'<div class="problems">{left_out}</div>' if problems else ""}
<nav aria-label="Sections">{links}</nav>
<main>
{body}
</main>
<script>
{(HERE / "page.js").read_text(encoding="utf-8")}</script>
</body>
</html>
"""


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")


_INLINE = ((re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
           (re.compile(r"\*([^*]+)\*"), r"<em>\1</em>"))


def to_html(text: str, name: str) -> str:
    """name: what the tables are called where they cannot be seen."""
    blocks = re.split(r"\n\s*\n", text.strip())
    return "\n".join(_block(block.splitlines(), name) for block in blocks)


def _block(lines: Sequence[str], name: str) -> str:
    if lines[0].startswith("|"):
        return _table(lines, name)
    listed = re.compile(r"(-|\d+\.) ")
    if all(listed.match(line) for line in lines):
        kind = "ul" if lines[0].startswith("-") else "ol"
        items = "".join(f"<li>{inline(listed.sub('', line, count=1))}</li>" for line in lines)
        return f"<{kind}>{items}</{kind}>"
    return f"<p>{inline(' '.join(lines))}</p>"


def _table(lines: Sequence[str], name: str) -> str:
    header, _, *rows = ([cell.strip() for cell in line.strip().strip("|").split("|")]
                        for line in lines)
    head = "".join(f'<th scope="col">{inline(cell)}</th>' for cell in header)
    body = "".join(f'<tr><th scope="row">{inline(row[0])}</th>'
                   + "".join(f"<td>{inline(cell)}</td>" for cell in row[1:]) + "</tr>"
                   for row in rows)
    return (f'<div class="scroll" tabindex="0" role="region" aria-label="{html.escape(name)}">'
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>")


def inline(text: str) -> str:
    """Code is left as it is; stars make the rest bold or stressed."""
    parts = html.escape(text, quote=False).split("`")
    for place, part in enumerate(parts):
        if place % 2:
            parts[place] = f"<code>{part}</code>"
            continue
        for pattern, replacement in _INLINE:
            part = pattern.sub(replacement, part)
        parts[place] = part
    return "".join(parts)
