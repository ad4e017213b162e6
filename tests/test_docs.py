"""The pages in docs/: what is generated from the code is complete."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from tests.walk_through import ROOT

DOCS = ROOT / "docs"


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
    lines = ["A `Clip`s *x_.", "", "    go(1)", "", "Base", "├── Error", "Then."]
    assert extension.to_rst(lines) == [
        "A ``Clip``\\ s \\*x\\_.", "", "", "::", "", "        go(1)", "", "", "Base", "",
        "::", "", "    ├── Error", "", "Then.", ""]
