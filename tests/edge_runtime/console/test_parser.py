"""How all command lines read their words."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from edge_runtime import __version__
from edge_runtime.console.parser import Commands


def tool() -> Commands:
    """A command with an argument before the bundle, and one that does without a bundle."""
    def run(options: Namespace) -> None:
        print(options)

    commands = Commands("tool", "A tool.")
    enroll = commands.add("enroll", run, "enroll", example="Anna bundle --face a.png b.png")
    enroll.add_argument("name")
    enroll.add_bundle(required=True, help="a bundle")
    enroll.add_argument("--face", nargs="+")
    enroll.add_argument("--allow-duplicate", action="store_true")
    doctor = commands.add("doctor", run, "look around", example="bundle", end="It ends well.")
    doctor.add_bundle(required=False, help="a bundle")
    doctor.add_argument("--snr", type=float)
    return commands


def mistake(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a mistake gets, without the pointer to --help."""
    with pytest.raises(SystemExit) as stopped:
        tool().main(arguments)
    assert stopped.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    return printed.err.rpartition("; '")[0]


@pytest.mark.parametrize("arguments", [
    ["enroll", "Anna", "b"], ["enroll", "Anna", "--bundle", "b"], ["enroll", "Anna", "--bundle=b"],
    ["enroll", "--bundle", "b", "Anna"], ["enroll", "--allow-duplicate", "Anna", "b"],
    ["enroll", "Anna", "--allow-duplicate", "b"], ["enroll", "Anna", "b", "--face", "x", "y"],
    ["enroll", "--face", "x", "y", "--bundle", "b", "Anna"],
    ["enroll", "Anna", "--face", "x", "--allow-duplicate", "b"],
    ["doctor", "b"], ["doctor", "--bundle", "b"], ["doctor", "--snr", "-5", "b"],
    ["doctor", "b", "--snr=-.5"], ["doctor", "--", "b"],
])
def test_a_bundle_by_its_place_or_by_its_option(arguments: list[str]) -> None:
    options = tool().parser.parse_args(arguments)
    assert options.bundle == Path("b") and vars(options).get("name", "Anna") == "Anna"


def test_a_bundle_that_may_be_left_out() -> None:
    assert tool().parser.parse_args(["doctor", "--snr", "3"]).bundle is None


@pytest.mark.parametrize(("arguments", "message"), [
    (["enrol", "Anna"], "tool: there is no command 'enrol' (did you mean enroll?)"),
    (["Doctor"], "tool: there is no command 'Doctor' (did you mean doctor?)"),
    (["--enroll"], "tool: there is no command '--enroll' (did you mean enroll?)"),
    (["fly"], "tool: there is no command 'fly'"),
    (["fly\x1b[2J"], "tool: there is no command 'fly\\x1b[2J'"),
    (["--bundle", "b", "doctor"], "tool: expected a command first, found '--bundle'"),
    (["-version"], "tool: there is no command '-version' (did you mean --version?)"),
    (["doctor", "--bundel", "b"], "tool doctor: there is no option '--bundel' (did you mean "
                                  "--bundle?)"),
    (["doctor", "--bundel=b"], "tool doctor: there is no option '--bundel' (did you mean "
                               "--bundle?)"),
    (["doctor", "-bundle", "b"], "tool doctor: there is no option '-bundle' (did you mean "
                                 "--bundle?)"),
    (["enroll", "Anna", "b", "--allow_duplicate"],
     "tool enroll: there is no option '--allow_duplicate' (did you mean --allow-duplicate?)"),
    (["doctor", "--quickly"], "tool doctor: there is no option '--quickly'"),
    # Where a needed argument is missing too, the wrong option is the cause.
    (["enroll", "Anna", "--bundel", "b"], "tool enroll: there is no option '--bundel' (did you "
                                          "mean --bundle?)"),
    (["enroll", "Anna"], "tool enroll: the following arguments are required: BUNDLE"),
    (["enroll", "Anna", "--face", "x", "b"],
     "tool enroll: the following arguments are required: BUNDLE"),
    (["enroll", "Anna", "a", "--bundle", "b"], "tool enroll: expected nothing more, found 'a'"),
    (["doctor", "a", "b"], "tool doctor: expected nothing more, found 'b'"),
])
def test_a_near_miss_is_named(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mistake(arguments, capsys) == message


@pytest.mark.parametrize("part", ["--bund", "--b", "--allow"])
def test_a_part_of_an_option_is_not_taken(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"there is no option '{part}'" in mistake(["enroll", "Anna", part, "b"], capsys)


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        tool().main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"visavox {__version__}\n"


def test_help_shows_the_example_as_it_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        tool().main(["doctor", "--help"])
    shown = capsys.readouterr().out
    assert "for example:\n  tool doctor bundle\n\nIt ends well.\n" in shown
