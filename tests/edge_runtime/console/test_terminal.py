"""Nothing that is printed steers the terminal, whatever names and files hold."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.console.output import say_problems, table
from edge_runtime.console.parser import Commands
from edge_runtime.console.terminal import JOINERS, Screen, bare_output, beneath, printable, screens
from edge_runtime.errors import InputError

ANY_TEXT = st.text(st.characters())  # surrogates too
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e"
                      "\u2060-\u206f\ufeff\ud800-\udfff]")
HOSTILE = "a\x1b[2J\x1b]0;owned\x07\r\x9b31m\u202eb\udcfc"


def command(run: Callable[[Namespace], int | None]) -> Commands:
    commands = Commands("tool", "A tool.")
    commands.add("go", run, "go", example="")
    return commands


def test_what_is_escaped_and_what_is_not() -> None:
    assert printable(HOSTILE + "\n") == (
        r"a\x1b[2J\x1b]0;owned\x07\r\x9b31m\u202eb\xfc\n")
    for text in ("Zoë 王 😀", "\u06a9\u062a\u0627\u0628\u200c\u0647\u0627", "a\u00a0b\u3000c"):
        assert printable(text) == text


@given(ANY_TEXT)
def test_printable_text_is_one_harmless_line(text: str) -> None:
    found = printable(text)
    assert not STEERING.search(found) and "\n" not in found and printable(found) == found
    assert all(character.isprintable() or character in JOINERS or character.isspace()
               for character in found)


@given(ANY_TEXT, st.sampled_from(["utf-8", "latin-1", "ascii", "cp1252", "utf-16"]))
def test_a_screen_shows_any_text_in_any_encoding(text: str, encoding: str) -> None:
    raw = io.BytesIO()
    screen = Screen(io.TextIOWrapper(raw, encoding=encoding, newline=""))
    assert screen.write(text) == len(text)
    screen.flush()
    assert not STEERING.search(raw.getvalue().decode(encoding))


@given(ANY_TEXT)
def test_no_cell_breaks_a_table(text: str) -> None:
    assert table(["name", "n"], [[text, "1"]]).count("\n") == 2


@given(ANY_TEXT)
def test_no_message_of_a_command_steers_the_terminal(text: str) -> None:
    def run(options: Namespace) -> None:
        print(text)
        say_problems([text])
        raise InputError(text)

    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        assert command(run).main(["go"]) == 2
        assert sys.stdout is out
    assert not STEERING.search(out.getvalue() + err.getvalue())
    assert err.getvalue().count("\n") == 3  # the report's two lines, and the mistake's one


def test_progress_bars_of_libraries_go_beneath(capsys: pytest.CaptureFixture[str]) -> None:
    with screens():
        with bare_output():
            print("\r1/2", end="")
        print("\r", end="")
        assert beneath(beneath(sys.stdout)) is beneath(sys.stdout)
    assert capsys.readouterr().out == "\r1/2\\r"


def run_shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of bash in which $GO is a command that prints the name Zoë a thousand times."""
    code = ("import sys; from edge_runtime.console.parser import Commands; "
            "c = Commands('tool', 'A.');"
            " c.add('go', lambda o: [print('Zo\\xeb', 'x' * 99) for _ in range(1000)][0], 'go', "
            "example='');"
            " sys.exit(c.main())")
    return subprocess.run(["bash", "-c", line], text=True, capture_output=True, check=False,
                          env=os.environ | {"GO": code, "PY": sys.executable} | environment)


@pytest.mark.parametrize(("encoding", "expected"), [
    ("utf-8", "Zoë 王 "), ("latin-1", "Zo\udceb \\u738b "), ("ascii", "Zo\\xeb \\u738b ")])
def test_terminals_that_are_not_utf8(encoding: str, expected: str) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$PY" -c "$GO" go'], capture_output=True, check=False,
        env=os.environ | {"PYTHONIOENCODING": encoding, "PY": sys.executable, "GO": (
            "import sys; from edge_runtime.console.parser import Commands; "
            "c = Commands('tool', 'A.');"
            " c.add('go', lambda o: print('Zo\\xeb \\u738b x'), 'go', example='');"
            " sys.exit(c.main())")})
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode(errors="surrogateescape") == f"{expected}x\n"


def test_a_reader_who_has_seen_enough() -> None:
    done = run_shell('"$PY" -c "$GO" go | head -n 1; echo ${PIPESTATUS[0]}')
    assert done.stdout.splitlines()[1:] == ["141"] and done.stderr == ""  # as of SIGPIPE
    done = run_shell('"$PY" -c "$GO" --help | true; "$PY" -c "$GO" stay 2>&1 | true')
    assert done.stderr == ""


def test_streams_that_are_closed_or_full() -> None:
    done = run_shell('"$PY" -c "$GO" go >&-; echo $?')
    assert (done.stdout, done.stderr) == ("0\n", "")
    done = run_shell('"$PY" -c "$GO" stay 2>&- <&-; echo $?')
    assert (done.stdout, done.stderr) == ("2\n", "")
    done = run_shell('"$PY" -c "$GO" go > /dev/full; echo $?')
    assert done.stdout == "2\n"
    assert done.stderr == "tool: No space left on device; make room or name another place\n"


def test_no_file_takes_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    code = ("import sys; from edge_runtime.console.parser import Commands; "
            "c = Commands('tool', 'A.');"
            f" c.add('go', lambda o: print(open({str(tmp_path / 'f')!r}, 'w').fileno() > 2, file="
            f"open({str(tmp_path / 'said')!r}, 'w')), 'go', example=''); sys.exit(c.main())")
    run_shell('"$PY" -c "$GO" go >&- 2>&- <&-', GO=code)
    assert (tmp_path / "said").read_text() == "True\n"


@pytest.mark.parametrize("columns", ["20", "1", "0", "many"])
def test_narrow_and_dumb_terminals(columns: str) -> None:
    done = run_shell('"$PY" -c "$GO" --help && "$PY" -c "$GO" go --help', COLUMNS=columns,
                     TERM="dumb")
    assert done.returncode == 0 and done.stderr == "" and "go" in done.stdout


def test_no_folder_for_temporary_files(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def run(options: Namespace) -> None:
        with tempfile.TemporaryFile():
            pass

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "nowhere")])
    assert command(run).main(["go"]) == 2
    assert capsys.readouterr().err == ("tool: expected a folder for temporary files, found none "
                                       "that can be written; set TMPDIR to one\n")


def test_a_current_folder_that_is_gone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def run(options: Namespace) -> None:
        Path("gallery.db").absolute()

    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert command(run).main(["go"]) == 2
    monkeypatch.chdir(tmp_path)
    assert capsys.readouterr().err == "tool: the current folder is gone; go to another one\n"


def test_no_shared_memory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(options: Namespace) -> None:
        raise FileNotFoundError(2, "No such file or directory")  # as multiprocessing's SemLock does

    monkeypatch.setattr("os.access", lambda path, mode: path != "/dev/shm")
    assert command(run).main(["go"]) == 2
    assert "found no /dev/shm that can be written" in capsys.readouterr().err
