"""What a machine may lack, and what a person may get wrong: a line each."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.device.debian import RECORD, Apt, made_once
from benchmarks.device.emulator import build_plugin, lines_of
from edge_runtime.errors import UsageError

Run = Callable[..., subprocess.CompletedProcess[str]]
Change = Callable[[dict[str, Any]], Path]


def test_no_emulator(
    run_python: Run, changed_bundle: Change, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run_python("-m", "benchmarks", "device", changed_bundle({}))
    assert done.returncode == 2
    assert "expected qemu-aarch64, which runs the device's Python, found none" in done.stderr
    assert done.stderr.count("\n") == 1


def test_uncertified_bundle(run_python: Run, changed_bundle: Change) -> None:
    folder = changed_bundle({"certified": False, "reason": "too bad"})
    done = run_python("-m", "benchmarks", "device", folder)
    assert done.returncode == 2
    refused, last = done.stderr.splitlines()
    assert "the bundle is not certified (too bad)" in refused and "--allow-uncertified" in refused
    assert "no bundle is left to be tried" in last


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"results": [{"name": "a"}]}'])
def test_a_baseline_that_is_none(
    run_python: Run, changed_bundle: Change, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "earlier.json"
    file.write_text(content)
    done = run_python("-m", "benchmarks", "device", changed_bundle({}), "--baseline", file)
    assert done.returncode == 2
    assert "expected what 'python -m benchmarks device --json' printed" in done.stderr


def test_no_pairs(run_python: Run, changed_bundle: Change) -> None:
    done = run_python("-m", "benchmarks", "device", changed_bundle({}), "--pairs", 0)
    assert done.returncode == 2 and "--pairs expects a number of at least 1" in done.stderr


def test_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="expected a C compiler named cc, found none"):
        build_plugin(tmp_path, 7)


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """Puts a shell script in the place of a program."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def put(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return put


def test_a_compiler_that_fails(programs: Callable[[str, str], None], tmp_path: Path) -> None:
    programs("cc", "echo 'plugin.c:1: error: no stdio.h' >&2; exit 1")
    with pytest.raises(UsageError, match=r"cc cannot compile plugin.c .*no stdio.h.*libc6-dev"):
        build_plugin(tmp_path, 7)


def test_no_archive_of_debian(programs: Callable[[str, str], None], tmp_path: Path) -> None:
    programs("apt-get", "exit 0")
    with pytest.raises(UsageError, match="expected an archive of Debian among this machine's"):
        Apt(tmp_path / "apt", "trixie")


def test_a_suite_that_is_not_there(programs: Callable[[str, str], None], tmp_path: Path) -> None:
    programs("apt-get", "case \"$*\" in *indextargets*) echo https://somewhere.example/debian/;;"
                        " *) echo 'E: https://somewhere.example/debian/ has no trixie' >&2;"
                        " exit 100;; esac")
    apt = Apt(tmp_path / "apt", "trixie")
    sources = (tmp_path / "apt" / "sources.list").read_text()
    assert "https://somewhere.example/debian/ trixie main" in sources and "arch=arm64" in sources
    with pytest.raises(UsageError, match="do not give Debian's suite trixie") as caught:
        apt.run("update")
    assert "somewhere" not in str(caught.value) and "E: ... has no trixie" in str(caught.value)


def test_the_cache_is_made_once_and_as_a_whole(tmp_path: Path) -> None:
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "file").write_text("four")

    first = made_once(tmp_path, "name", "recipe", make)
    assert made_once(tmp_path, "name", "recipe", make) == first and len(made) == 1
    assert made_once(tmp_path, "name", "another", make) != first and len(made) == 2

    def fail(folder: Path) -> None:
        make(folder)
        raise UsageError("broke off")

    before = sorted(tmp_path.iterdir())
    with pytest.raises(UsageError, match="broke off"):
        made_once(tmp_path, "name", "third", fail)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("damage", [
    lambda folder: (folder / "file").unlink(), lambda folder: (folder / "file").write_text("fou"),
    lambda folder: (folder / RECORD).unlink(), lambda folder: (folder / RECORD).write_text("{"),
    lambda folder: (folder / "more").touch()])
def test_a_damaged_cache(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    folder = made_once(tmp_path, "name", 1, lambda folder: (folder / "file").write_text("four"))
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "file.pyc").touch()  # what Python there writes is no damage
    assert made_once(tmp_path, "name", 1, damage) == folder
    damage(folder)
    with pytest.raises(UsageError, match=r"the cache is damaged .* delete that folder"):
        made_once(tmp_path, "name", 1, damage)


@pytest.mark.parametrize("script, ending", [
    ("echo one; echo 'what happened' >&2; exit 3", "exit code 3 (what happened)"),
    ("echo one; kill -SEGV $$", "signal 11 (no message)")])
def test_a_program_that_ends_badly(script: str, ending: str) -> None:
    lines = lines_of(["/bin/sh", "-c", script], {})
    assert next(lines) == "one\n"
    with pytest.raises(UsageError) as caught:
        next(lines)
    assert ending in str(caught.value)
    assert list(lines_of(["/bin/sh", "-c", "echo one; echo two"], {})) == ["one\n", "two\n"]
