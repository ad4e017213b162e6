"""What the contracts in pyproject.toml (`lint-imports`) cannot say of imports; that tests mirror
the code, and that files named in comments are there."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OPTIMIZER = ROOT / "train" / "training" / "optimizer.py"
FOLDERS = ("edge_runtime", "train", "benchmarks", "convert")
HEAVY = {"tensorflow", "keras", "tf_keras", "librosa", "torch"}
FILES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def imported(path: Path) -> Iterator[str]:
    """The top-level name of every import, also of those inside functions and by name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield (node.module or "").partition(".")[0]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func).rpartition(".")[2]
            if called in {"import_module", "__import__"}:
                yield str(node.args[0].value).partition(".")[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_tensorflow_is_known_where_it_is_meant(path: Path) -> None:
    """Training takes any backend but in one place, which asks which it is; peers are processes."""
    folder = path.relative_to(ROOT).parts[0]
    knows = folder == "convert" or "peers" in path.parts or path == OPTIMIZER
    assert knows or "tensorflow" not in set(imported(path))


def test_the_rule_sees_every_way_to_import(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text("import a.x, b\nfrom c.d import e\ndef f():\n    import g\n"
                      "    importlib.import_module('h.i')\n    __import__('j')\n")
    assert set(imported(source)) == {"a", "b", "c", "g", "h", "j"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_uses_what_kills_a_raspberry_pi_4(path: Path) -> None:
    """LiteRT's CompiledModel ends the process where the processor has no LSE atomics."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.id if isinstance(node, ast.Name) else node.attr for node in ast.walk(tree)
             if isinstance(node, ast.Name | ast.Attribute)}
    names |= {alias.name.rpartition(".")[2] for node in ast.walk(tree)
              if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}
    assert not names & {"CompiledModel", "compiled_model"}


def test_tests_lie_where_the_code_lies() -> None:
    """A file of tests is named after a module of the folder that its own folder mirrors, or after
    that folder; what is JavaScript's has no such names."""
    for folder in FOLDERS:
        for path in sorted((ROOT / "tests" / folder).rglob("test_*.py")):
            mirrored = ROOT / path.parent.relative_to(ROOT / "tests")
            assert mirrored.is_dir(), f"{path}: there is no {mirrored}"
            names = {module.stem.strip("_") for module in mirrored.glob("*.py")} | {mirrored.name}
            subject = path.stem.removeprefix("test_")
            assert list(mirrored.glob("*.js")) or any(
                subject == name or subject.startswith(f"{name}_") for name in names), path


def told(path: Path) -> str:
    """Comments and docstrings of a file of Python; comments of JavaScript; all of a text."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".js":
        return "\n".join(re.findall(r"//[^\n]*|/\*.*?\*/", text, re.DOTALL))
    if path.suffix == ".md":
        return text
    with path.open("rb") as source:
        comments = [token.string for token in tokenize.tokenize(source.readline)
                    if token.type == tokenize.COMMENT]
    texts = [node.value.value for node in ast.walk(ast.parse(text))
             if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
             and isinstance(node.value.value, str)]
    return "\n".join((*comments, *texts))


def test_files_that_comments_and_docs_name_are_there() -> None:
    """What was moved or renamed is soon forgotten in a comment."""
    files = [path for folder in (*FOLDERS, "tests", "docs", "examples")
             for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".js", ".md"}
             and not {"third_party", "_build", "generated"} & set(path.parts)]
    there = {"/".join(path.relative_to(ROOT).parts[start:])
             for path in files for start in range(len(path.relative_to(ROOT).parts))}
    named = re.compile(r"(?<![\w./*<-])(?:[a-z_-]+/)*[a-z_-]+\.(?:py|js)\b")
    missing = [f"{path.relative_to(ROOT)}: {name}" for path in (*files, ROOT / "README.md")
               for name in named.findall(told(path)) if name not in there]
    assert len(files) > 300 and not missing


def test_no_room_for_odds_and_ends() -> None:
    for folder in (*FOLDERS, "tests"):
        names = {path.name for path in (ROOT / folder).rglob("*")}
        assert not names & {"utils.py", "common", "common.py"}
    assert not list((ROOT / "tests").rglob("__init__.py"))


IMPORT_ALL = """
import importlib, json, pkgutil, sys
import edge_runtime

missing = []
for module in pkgutil.walk_packages(edge_runtime.__path__, "edge_runtime."):
    if module.name.endswith("__main__"):
        continue
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        missing.append(error.name)
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"missing": missing, "loaded": loaded}))
"""


def test_the_device_package_loads_nothing_heavy() -> None:
    child = subprocess.run([sys.executable, "-c", IMPORT_ALL], cwd=ROOT, capture_output=True,
                           text=True, check=True)
    found = json.loads(child.stdout)
    assert not set(found["loaded"]) & (HEAVY | {"train", "convert", "benchmarks"})
    assert not set(found["missing"]) & (HEAVY | {"edge_runtime", "numpy", "PIL", "soundfile"})
