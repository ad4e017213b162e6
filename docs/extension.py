"""What Sphinx writes from the code: the command lines from their parsers, the API from docstrings.

Both go to reference/generated/, which git ignores, so that no page can be out of date. Imports
Sphinx nowhere: tests call it without.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import os
import pkgutil
import re
from argparse import SUPPRESS, Action, ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from edge_runtime.console.parser import Commands

ROOT = Path(__file__).parent.parent
GENERATED = Path("reference") / "generated"
PACKAGE = "edge_runtime"  # what is installed, and documented whole
OTHERS = ("train", "convert", "benchmarks")  # run in the clone: a line for each module
_COLUMNS = "88"  # of a command's usage, whatever terminal builds the pages


def setup(app: Any) -> dict[str, Any]:
    """Sphinx calls this."""
    app.connect("builder-inited", lambda app: write_pages(Path(app.srcdir)))
    app.connect("autodoc-process-docstring", _docstring)
    return {"parallel_read_safe": True}


def write_pages(docs: Path) -> None:
    """Make all generated pages anew, and leave no older one."""
    folder = docs / GENERATED
    folder.mkdir(parents=True, exist_ok=True)
    pages = {**command_pages(), **api_pages(), "modules.md": module_page()}
    for file in folder.iterdir():
        if file.name not in pages:
            file.unlink()
    for name, text in pages.items():
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text:
            (folder / name).write_text(text, encoding="utf-8")  # Sphinx reads only what changes


# Command lines


def programs() -> list[Commands]:
    """The command lines of all four folders."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    modules = (f"{PACKAGE}.apps.cli", "train.cli", "convert.__main__", "benchmarks.cli")
    return [importlib.import_module(name).all_commands() for name in modules]


def command_pages() -> dict[str, str]:
    """A page for each program, by its file's name."""
    os.environ["COLUMNS"] = _COLUMNS
    return {f"{program.parser.prog.removeprefix('python -m ')}.md": _program(program)
            for program in programs()}


def _program(program: Commands) -> str:
    parser = program.parser
    parts = [f"# `{parser.prog}`", _prose(parser.description), _prose(parser.epilog)]
    parts += [_command(name, command) for name, command in cast(
        Mapping[str, ArgumentParser], parser.commands).items()]
    return "\n\n".join(part for part in parts if part) + "\n"


def _command(name: str, parser: ArgumentParser) -> str:
    arguments = [_argument(parser, action) for action in parser._actions
                 if action.help is not SUPPRESS and action.dest != "help"]
    said = _prose(parser.description)
    return "\n\n".join([f"## `{name}`", f"{said[:1].upper()}{said[1:]}.",
                        f"```text\n{parser.format_usage().strip()}\n```", "\n".join(arguments),
                        f"```text\n{parser.epilog}\n```"])


def _argument(parser: ArgumentParser, action: Action) -> str:
    formatter = parser._get_formatter()
    shown = formatter._format_action_invocation(action)
    text = formatter._expand_help(action) if action.help else ""
    return f"- `{shown}`" + (f": {_prose(text)}" if text else "")


def _prose(text: str | None) -> str:
    """As Markdown that shows it as it is."""
    return re.sub(r"([\\`*_<>\[\]|$])", r"\\\1", " ".join((text or "").split()))


# The API


def modules_of(package: str) -> Iterator[str]:
    """All modules of a package, by walking it; no list of them is kept."""
    yield package
    for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
        yield module.name


def api_pages() -> dict[str, str]:
    """A page for each room of the package and one for its own modules, and the list of them.

    Command lines have pages of their own (`command_pages`).
    """
    rooms: dict[str, list[str]] = {}
    for name in modules_of(PACKAGE):
        if "cli" not in name.split("."):
            is_room = (ROOT / name.replace(".", "/")).is_dir()
            room = name if is_room and name.count(".") <= 1 else ".".join(name.split(".")[:2])
            rooms.setdefault(room if (ROOT / room.replace(".", "/")).is_dir() else PACKAGE,
                             []).append(name)
    pages = {f"api-{room}.rst": _room(room, names) for room, names in rooms.items()}
    listed = "\n".join(f"   api-{room}" for room in sorted(rooms))
    return pages | {"api.rst": f"API\n===\n\n.. toctree::\n   :maxdepth: 1\n\n{listed}\n"}


def _room(room: str, names: Sequence[str]) -> str:
    parts = [f"{room}\n{'=' * len(room)}"]
    for name in names:
        if name != room:
            parts.append(f"{name}\n{'-' * len(name)}")
        parts.append(f".. automodule:: {name}")
    return "\n\n".join(parts) + "\n"


def _docstring(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    lines[:] = to_rst(lines)


def to_rst(lines: Sequence[str]) -> list[str]:
    """A docstring as we write them (plain text, `code`, indented examples and drawn trees) in
    reStructuredText."""
    out: list[str] = []
    for kind, group in itertools.groupby(_kinds(lines), key=lambda line: line[0]):
        block = [line for _, line in group]
        out += (["::", "", *(f"    {line}" for line in block)] if kind == "literal"
                else _escaped("\n".join(block)).splitlines()) + [""]
    return out


def _kinds(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each line with what it belongs to; a blank one belongs to what is before it."""
    kind = "text"
    for line in lines:
        if line.strip():
            kind = "literal" if line.startswith("    ") or line[0] in "├└│" else "text"
        yield kind, line


def _escaped(text: str) -> str:
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick without its pair
        return re.sub(r"([\\`*_|])", r"\\\1", text)
    for place, part in enumerate(parts):
        parts[place] = f"``{part}``" if place % 2 else re.sub(r"([\\*_|])", r"\\\1", part)
        if place % 2 and parts[place + 1][:1].isalnum():
            parts[place] += "\\ "
    return "".join(parts)


def module_page() -> str:
    """A line for each module of the folders that are not installed; nothing is imported."""
    parts = ["# Modules of train, convert and benchmarks",
             "These run in the clone. What each module is for, from its docstring."]
    for folder in OTHERS:
        rows = [f"- `{name}`: {_prose(first)}" for name, first in _firsts(folder)]
        parts += [f"## {folder}", "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


def _firsts(folder: str) -> Iterator[tuple[str, str]]:
    for file in sorted((ROOT / folder).rglob("*.py")):
        text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
        if text and file.name != "__main__.py":
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), text.split("\n\n")[0]


