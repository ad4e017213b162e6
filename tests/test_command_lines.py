"""The four programs: their version, an example in each `--help`, and what the pages tell people
to type."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest

import benchmarks.cli
import convert.__main__
import edge_runtime.apps.cli
import train.cli
from edge_runtime import __version__
from edge_runtime.console.parser import Commands
from tests.walk_through import ROOT

PROGRAMS: list[Callable[[], Commands]] = [
    edge_runtime.apps.cli.all_commands, train.cli.all_commands, convert.__main__.all_commands,
    benchmarks.cli.all_commands]
BY_PROG = {commands().parser.prog: commands for commands in PROGRAMS}
EXAMPLES = [example for commands in PROGRAMS for example in commands().examples]
FENCED = re.compile(r"```sh\n(.*?)```", re.DOTALL)
TYPED = re.compile(r"^ *(?:\w+=\S+ )?((?:visavox|python -m (?:train|convert|benchmarks)) "
                   r"[^>|#\n]+)", re.MULTILINE)
PAGES = sorted(path for path in ROOT.rglob("*.md")
                 if not {"node_modules", "third_party"} & set(path.parts)
                 and not any(part.startswith(".") for part in path.relative_to(ROOT).parts))


def typed_in(page: Path) -> set[str]:
    """The commands in its blocks of code, fenced or indented, without what follows >, | or #."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for name, value in re.findall(r'^ *(\w+)="(.*)"$', text, re.MULTILINE):
        text = text.replace(f"${name}", value)
    indented = "\n".join(line for line in text.splitlines() if line.startswith("    "))
    return {command for block in [*FENCED.findall(text), indented]
            for command in TYPED.findall(block)}


IN_PAGES = sorted({command for page in PAGES for command in typed_in(page)})


def parsed(line: str) -> Namespace:
    """What the program reads of these words; it says a mistake and ends where there is one."""
    words = shlex.split(line)
    prog = next(prog for prog in BY_PROG if words[: len(prog.split())] == prog.split())
    return BY_PROG[prog]().parser.parse_args(words[len(prog.split()) :])


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_is_taken(example: str) -> None:
    assert callable(parsed(example).run)


@pytest.mark.parametrize("command", IN_PAGES)
def test_what_the_pages_tell_people_to_type(command: str) -> None:
    assert callable(parsed(command).run)


def test_git_leaves_alone_what_the_pages_have_people_make(tmp_path: Path) -> None:
    """Their faces and voices, and networks of them, would be committed by `git add .`."""
    values = [value for line in [*EXAMPLES, *IN_PAGES] for value in vars(parsed(line)).values()]
    files = {str(file) for value in values for file in (value if isinstance(value, list)
                                                       else [value])
             if isinstance(file, Path) and not file.is_absolute() and not (ROOT / file).exists()
             and file.name != "..."}  # and so on
    assert {"people", "run", "bundle", "gallery.db", "phone", "noise", "face.jpg"} <= files
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    for file in files:  # a folder, with something in it, or a file
        place = tmp_path / file.replace("*", "any") / ("" if "." in file else "something")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    left = subprocess.run(["git", "status", "--porcelain"], cwd=tmp_path, check=True,
                          capture_output=True, text=True).stdout
    assert left.splitlines() == ["?? .gitignore"]
    anywhere = subprocess.run(["git", "ls-files", "-ci", "--exclude-standard"], cwd=ROOT,
                              capture_output=True, text=True, check=False).stdout
    assert not anywhere, "what is committed is not to be ignored"


def test_the_pages_are_looked_through() -> None:
    assert len(IN_PAGES) > 50
    assert {shlex.split(command)[0] for command in IN_PAGES} == {"visavox", "python"}


@pytest.mark.parametrize("commands", PROGRAMS)
def test_each_help_has_an_example(
    commands: Callable[[], Commands], capsys: pytest.CaptureFixture[str]
) -> None:
    names = list(commands().parser.commands)
    for name in names:
        with pytest.raises(SystemExit) as stopped:
            commands().main([name, "--help"])
        assert stopped.value.code == 0
        lines = capsys.readouterr().out.splitlines()
        shown = [line.strip() for line in lines[lines.index("for example:") + 1 :]
                 if line.startswith("  ")]
        assert shown == [example for example in commands().examples
                         if example.startswith(f"{commands().parser.prog} {name}")
                         and example.removeprefix(f"{commands().parser.prog} ").split()[0] == name]
        assert shown
    assert len(names) >= 3


@pytest.mark.parametrize("commands", PROGRAMS)
def test_each_program_says_its_version(
    commands: Callable[[], Commands], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        commands().main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"visavox {__version__}\n"


def test_the_version_stands_in_one_place() -> None:
    assert "version = attr: edge_runtime.__version__" in (ROOT / "setup.cfg").read_text()


def test_nobody_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["identify", "--help"], ["watch", "--help"]):
        with pytest.raises(SystemExit):
            edge_runtime.apps.cli.main(words)
        assert "Exit code 0 also where" in capsys.readouterr().out
