"""The Markdown that our tables are written in, as HTML: tables, paragraphs, lists, code, bold."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

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
