"""What `make` would do, in a clone and an environment of its own; nothing is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.walk_through import ROOT

Make = Callable[..., str]
THIS = os.path.realpath(sys.executable)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose environment stands, made by the Python that runs these tests."""
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    for name in ("setup.cfg", "pyproject.toml", "Makefile"):
        shutil.copy(ROOT / name, tmp_path)
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").write_text(f"version = 3.11.7\nexecutable = {THIS}\n")
    (tmp_path / ".venv" / ".ready").touch()
    return tmp_path


@pytest.fixture
def make(clone: Path) -> Make:
    def would(*arguments: str) -> str:
        """The commands that it would run."""
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("PYTHON", "MAKEFLAGS", "MAKELEVEL")}
        done = subprocess.run(["make", "-n", *arguments], cwd=clone, env=environment, check=False,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return would


@pytest.fixture
def other(tmp_path: Path) -> str:
    """A Python that lies elsewhere."""
    program = tmp_path / "other-python"
    program.write_text("#!/bin/sh\necho /elsewhere/python3.13\n")
    program.chmod(0o755)
    return str(program)


def test_the_environment_that_stands_is_left(make: Make) -> None:
    assert " -m venv" not in make("setup")
    assert " -m venv" not in make("setup", f"PYTHON={sys.executable}")


def test_another_python_makes_it_anew(make: Make, other: str) -> None:
    assert f'"{other}" -m venv --clear .venv' in make("setup", f"PYTHON={other}")
    assert f'"{other}" -m venv --clear .venv' in make("test", f"PYTHON={other}")


def test_what_is_needed_has_changed(make: Make, clone: Path) -> None:
    """The packages are brought up to date by the Python that the environment was made by."""
    (clone / ".venv" / ".ready").touch()
    os.utime(clone / ".venv" / ".ready", (0, 0))
    (clone / "setup.cfg").touch()
    assert f'"{THIS}" -m venv  .venv' in make("setup")


def test_a_python_that_is_gone(make: Make, clone: Path) -> None:
    (clone / ".venv" / "pyvenv.cfg").write_text("executable = /gone/python3.11\n")
    assert " -m venv --clear .venv" in make("setup")


def test_an_environment_made_by_other_means_is_not_cleared(make: Make, clone: Path) -> None:
    (clone / ".venv" / "pyvenv.cfg").write_text("uv = 0.5\n")
    assert "--clear" not in make("setup")


def test_the_wheel_needs_no_environment_for_training(make: Make, clone: Path) -> None:
    shutil.rmtree(clone / ".venv")
    said = make("wheel")
    assert ".venv/" not in said and "train" not in said
    assert ".venv-wheel/bin/python -m pip wheel" in said


def test_the_pages_are_built_where_no_warning_passes(make: Make) -> None:
    said = make("docs")
    assert "install --quiet --editable '.[docs]'" in said and " -m venv" not in said
    assert "/sphinx-build -W " in said
