"""Problems, a line each, and a report that stays readable."""

from __future__ import annotations

from edge_runtime.console.output import because, problem_report


def test_a_line_for_each() -> None:
    assert problem_report(["a", "b"]) == "2 problems in the data:\n  - a\n  - b"
    assert problem_report(["a"]) == "1 problem in the data:\n  - a"


def test_many_of_a_kind_are_counted() -> None:
    long = [f"p{i}/face/{i}.png: the clip lasts {i} s, at most 600 s are read" for i in range(100)]
    other = [f"q/{i}.png: the picture is damaged (at byte {i}); take it again" for i in range(4)]
    lines = problem_report([long[0], *other, *long[1:]]).splitlines()
    assert lines == ["104 problems in the data:", *(f"  - {line}" for line in long[:3]),
                     "    and 97 more like it", *(f"  - {line}" for line in other)]


def test_a_problem_stays_on_its_line() -> None:
    assert problem_report(["a\nb \x1b[2J"]) == "1 problem in the data:\n  - a\\nb \\x1b[2J"


def test_because() -> None:
    assert because([]) == "" and because(["a"]) == "; a"
    assert because(["a", "b", "c"]) == "; a (and 2 more problems)"
