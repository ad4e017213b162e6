"""What the pages take from Python is what Python says now, under the names that they use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge_runtime.files import MAX_NAME
from edge_runtime.web.parameters import FILE, content, parameters

WEB = FILE.parents[1]
SCRIPTS = sorted(script for folder in ("kiosk", "phone", "shared")
                 for script in (WEB / folder).glob("*.js") if script != FILE)


def taken(script: Path) -> set[tuple[str, str]]:
    """Subjects and names."""
    text = script.read_text(encoding="utf-8")
    listed = re.findall(r"const \{([^}]+)\} = parameters\.(\w+);", text)
    found = {(subject, name) for names, subject in listed for name in re.findall(r"\w+", names)}
    return found | set(re.findall(r"\bparameters\.(\w+)\.(\w+)", text))


def test_the_file_is_what_python_says() -> None:
    assert FILE.read_text(encoding="utf-8") == content(), (
        "Python says otherwise now: run 'python -m edge_runtime.web.parameters'")


def test_the_pages_take_all_that_is_there_and_nothing_else() -> None:
    there = {(subject, name) for subject, found in parameters().items() for name in found}
    assert set().union(*map(taken, SCRIPTS)) == there


def test_no_script_types_a_number_of_python_again() -> None:
    names = {name for found in parameters().values() for name in found}
    for script in SCRIPTS:
        typed = re.findall(r"^(?:export )?const (\w+) =", script.read_text(encoding="utf-8"), re.M)
        assert not names & set(typed), script.name


@pytest.mark.parametrize("page", ["kiosk", "phone"])
def test_a_form_takes_names_as_long_as_python_does(page: str) -> None:
    form = (WEB / page / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'maxlength="(\d+)"', form) == [str(MAX_NAME)]
