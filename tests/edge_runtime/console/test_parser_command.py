"""What all command lines share: one line and exit code 2 for a mistake."""

from __future__ import annotations

import errno
import itertools
import json
import os
import sys
import threading
from argparse import Namespace
from pathlib import Path

import pytest

from edge_runtime.console.output import print_json, silenced_stderr, table, with_progress
from edge_runtime.console.parser import Commands
from edge_runtime.errors import InputError


def command_that_raises(error: BaseException) -> Commands:
    def run(options: Namespace) -> None:
        raise error

    commands = Commands("tool", "A tool.")
    commands.add("go", run, "go", example="--number 3").add_argument("--number", type=int)
    return commands


@pytest.mark.parametrize(("arguments", "message"), [
    ([], "tool: the following arguments are required: COMMAND; 'tool --help' says more"),
    (["stay"], "tool: there is no command 'stay'; 'tool --help' says more"),
    (["go", "--number", "many"], "tool go: argument --number: invalid int value: 'many'"),
])
def test_a_wrong_argument_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        command_that_raises(AssertionError()).main(arguments)
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(message) and said.count("\n") == 1


def test_mistakes_and_full_disks_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for error, message in (
        (InputError("face.jpg: no such picture"), "tool: face.jpg: no such picture\n"),
        (OSError(errno.ENOSPC, "No space left on device", "out.json"),
         "tool: out.json: No space left on device; make room or name another place\n"),
    ):
        assert command_that_raises(error).main(["go"]) == 2
        assert capsys.readouterr().err == message


def test_a_fault_of_ours_shows_itself() -> None:
    with pytest.raises(OSError, match="Bad address"):
        command_that_raises(OSError(errno.EFAULT, "Bad address")).main(["go"])


def test_a_file_where_a_folder_is_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()

    def run(options: Namespace) -> None:
        (tmp_path / "file" / "folder").mkdir()

    commands = Commands("tool", "A tool.")
    commands.add("go", run, "go", example="")
    assert commands.main(["go"]) == 2
    assert "Not a directory; make room or name another place" in capsys.readouterr().err


def test_stopped_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_that_raises(KeyboardInterrupt()).main(["go"]) == 130
    assert capsys.readouterr().err == "tool: stopped\n"


def test_table() -> None:
    assert table(["name", "ms"], [["a", "1.5"], ["long name", "10"]]) == (
        "| name      |  ms |\n| --------- | --: |\n| a         | 1.5 |\n| long name |  10 |")


@pytest.mark.parametrize(("terminal", "item_s", "said"), [
    (True, 0, "cropping 1/4\rcropping 2/4\rcropping 3/4\rcropping 4/4\r            \r"),
    (False, 0, ""),
    (False, 6, "cropping 2/4\ncropping 4/4\n"),  # every ten seconds, whole lines for a file
])
def test_progress_is_written_over_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool,
    item_s: int, said: str,
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    seconds = itertools.count(0, item_s) if item_s else itertools.repeat(0)
    assert list(with_progress("abcd", "cropping", lambda: float(next(seconds)))) == list("abcd")
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err == said


def test_json_holds_no_number_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = float("nan")
    print_json({"a": nothing, "b": [1.5, nothing, (nothing, float("-inf"))], "c": {"d": "nan"}})

    def refuse(name: str) -> None:
        raise AssertionError(name)

    assert json.loads(capsys.readouterr().out, parse_constant=refuse) == {
        "a": None, "b": [1.5, None, [None, None]], "c": {"d": "nan"}}


@pytest.mark.parametrize(("code", "expected"), [(None, 0), (0, 0), (1, 1)])
def test_a_command_may_have_an_exit_code_of_its_own(code: int | None, expected: int) -> None:
    commands = Commands("tool", "A tool.")
    commands.add("go", lambda options: code, "go", example="")
    assert commands.main(["go"]) == expected


def test_compiled_libraries_are_heard_only_where_they_fail(
    capfd: pytest.CaptureFixture[str]
) -> None:
    with silenced_stderr(), silenced_stderr():
        os.write(2, b"a note about graphics cards\n")
    assert capfd.readouterr().err == ""
    with pytest.raises(RuntimeError), silenced_stderr():
        os.write(2, b"out of memory\n")
        raise RuntimeError
    assert capfd.readouterr().err == "out of memory\n"


def test_threads_do_not_silence_each_other_for_good(capfd: pytest.CaptureFixture[str]) -> None:
    """The second begins while the first is at it, and ends after it."""
    begun, second_begun, end, end_second = (threading.Event() for _ in range(4))

    def quiet(begun: threading.Event, end: threading.Event) -> None:
        with silenced_stderr():
            begun.set()
            end.wait()

    first = threading.Thread(target=quiet, args=(begun, end))
    second = threading.Thread(target=quiet, args=(second_begun, end_second))
    first.start()
    begun.wait()
    second.start()
    second_begun.wait(0.2)
    end.set()
    first.join()
    end_second.set()
    second.join()
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"
