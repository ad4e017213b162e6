"""README.md and the pages in docs/: what they show is what happens, and what is generated from the
code is complete."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.apps.kiosk.configuration import read_configuration
from tests.walk_through import BLOCK, ROOT, TUTORIAL, run, walk_through, written

DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("[!.]*/README.md"), *DOCS.glob("[!_]*/*.md"),
                *DOCS.glob("*.md")])
LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]+))?\)")
GENERATED = "reference/generated/"


def words(line: str) -> str:
    """A line without what differs from run to run: numbers, and the widths of columns."""
    return re.sub(r"[ -]+", " ", re.sub(r"\d[\d.,e+-]*", "0", line)).strip()


@pytest.mark.slow
def test_the_walk_through_prints_what_it_shows(walked_through: Path, tmp_path: Path) -> None:
    all_printed = json.loads((walked_through / "printed.json").read_text())
    for (commands, shown), printed in zip(walk_through(), all_printed, strict=True):
        found = {words(line) for line in printed.splitlines()}
        # Rankings and machines differ; headings of tables and everything said outside of them stay.
        lines = shown.strip().splitlines()
        expected = [line for i, line in enumerate(lines)
                    if i + 1 < len(lines) and lines[i + 1].startswith("| -")]
        assert expected or len(lines) == 1
        for line in expected or lines:
            assert words(line) in found, f"{commands}: the page shows '{line}'\n{printed}"
    python = next(code for language, code in BLOCK.findall(TUTORIAL.read_text(encoding="utf-8"))
                  if language == "python")
    (tmp_path / "example.py").write_text(python)
    assert run(f"python {tmp_path / 'example.py'}", walked_through).startswith("synthetic_")


def test_what_was_printed_takes_the_place_of_what_was_shown() -> None:
    text = TUTORIAL.read_text(encoding="utf-8")
    steps = walk_through()
    assert len(steps) == text.count("```sh\n") > 3
    assert written(text, [shown for _, shown in steps]) == text
    changed = written(text, [f"step {number} \\1\n" for number in range(len(steps))])
    assert [line for line in changed.splitlines() if line.startswith("step ")] == [
        f"step {number} \\1" for number in range(len(steps))]


def anchors(page: Path) -> set[str]:
    """What a link may name on it, as MyST and GitHub make it of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        if ":" in target:  # elsewhere
            continue
        to = (page.parent / target).resolve() if target else page
        assert to.exists() or GENERATED in to.as_posix(), target
        assert not anchor or anchor in anchors(to), f"{target}#{anchor}"


def test_every_page_is_in_a_list_of_pages() -> None:
    """Sphinx warns of one that is not; that needs Sphinx."""
    listed = {DOCS / "index.md"}
    for page in DOCS.rglob("*.md"):
        for block in re.findall(r"```{toctree}\n(.*?)```", page.read_text(), re.DOTALL):
            listed |= {page.parent / f"{line}.md" for line in block.split() if line[0] != ":"}
    assert {page for page in PAGES if DOCS in page.parents} == {
        page for page in listed if GENERATED not in page.as_posix()}


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_the_kiosks_configuration_is_read(tmp_path: Path) -> None:
    text = (DOCS / "how-to" / "home-assistant.md").read_text(encoding="utf-8")
    [shown] = (code for language, code in BLOCK.findall(text) if language == "toml")
    (tmp_path / "kiosk.toml").write_text(shown)
    found = read_configuration(tmp_path / "kiosk.toml")
    assert found.mqtt and found.hook and found.camera and found.proxy.trusted


@pytest.fixture(scope="module")
def extension() -> Any:
    """docs/extension.py; Sphinx itself is not needed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        return importlib.import_module("extension")


@pytest.fixture(scope="module")
def generated(extension: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All generated pages, where an older one was."""
    docs = tmp_path_factory.mktemp("docs")
    old: Path = docs / extension.GENERATED / "old.md"
    old.parent.mkdir(parents=True)
    old.touch()
    extension.write_pages(docs)
    return old.parent


def test_every_command_has_its_examples(extension: Any, generated: Path) -> None:
    for program in extension.programs():
        page = (generated / f"{program.parser.prog.split()[-1]}.md").read_text()
        assert all(f"\n## `{name}`\n" in page for name in program.parser.commands)
        assert all(f"\n  {example}\n" in page for example in program.examples)
    assert not (generated / "old.md").exists()


def test_the_api_names_every_module(generated: Path) -> None:
    pages = "".join(file.read_text() for file in generated.glob("api-*.rst"))
    for file in (ROOT / "edge_runtime").rglob("*.py"):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if "cli" not in name.split("."):
            assert pages.count(f".. automodule:: {name}\n") == 1, name
    listed = (generated / "modules.md").read_text()
    for folder in ("train", "convert", "benchmarks"):
        for file in (ROOT / folder).glob("*.py"):
            assert file.stem.startswith("__") or f"`{folder}.{file.stem}`: " in listed, file


def test_docstrings_show_as_they_are(extension: Any) -> None:
    lines = ["A `Clip`s *x_.", "", "    go(1)", "", "    go(2)", "", "Base", "├── Error", "Then."]
    assert extension.to_rst(lines) == [
        "A ``Clip``\\ s \\*x\\_.", "", "::", "", "        go(1)", "    ", "        go(2)",
        "    ", "", "Base", "", "::", "", "    ├── Error", "", "Then.", ""]
