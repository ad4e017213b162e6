"""What is written comes back, and everything else is named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pytest

from train.strict_json import from_json, to_json


@dataclass(frozen=True, kw_only=True)
class Inner:
    colour: Literal["red", "green"]
    shares: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outer:
    number: int
    share: float | None
    inner: Inner | None
    rows: list[Inner] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    right: bool = False


@pytest.mark.parametrize("content", [
    Outer(number=1, share=None, inner=None),
    Outer(number=-3, share=0.1, inner=Inner(colour="red", shares=(1.0, 1e-9)), right=True,
          rows=[Inner(colour="green")], versions={"größe": "1"})])
def test_round_trip(content: Outer) -> None:
    written = to_json(content)
    assert from_json(Outer, written) == content
    assert written.endswith(b"}\n") and b"\\u" not in written


def test_a_path_that_is_not_utf8_comes_back() -> None:
    content = Outer(number=1, share=None, inner=None, versions={"root": "M\udcfcller"})
    written = to_json(content)
    assert written.decode() and from_json(Outer, written) == content


def test_a_whole_number_is_a_float_too() -> None:
    found = from_json(Outer, b'{"number": 1, "share": 2, "inner": null}').share
    assert (found, type(found)) == (2.0, float)


@pytest.mark.parametrize(("content", "expected"), [
    (b"", "Expecting value"), (b"{", "Expecting property name"), (b'"\xff"', "decode"),
    (b"[]", r"\$: expected dict, found list"),
    (b'{"number": 1, "share": null}', r"\$: the key 'inner' is missing"),
    (b'{"number": 1, "share": null, "inner": null, "x": 1}', r"\$: unknown key 'x'"),
    (b'{"number": true, "share": null, "inner": null}', r"\$.number: expected int, found bool"),
    (b'{"number": 1.0, "share": null, "inner": null}', r"\$.number: expected int, found float"),
    (b'{"number": 1, "share": "1", "inner": null}', r"\$.share: expected float, found str"),
    (b'{"number": 1, "share": null, "inner": {"colour": "blue"}}',
     r"\$.inner.colour: expected one of red, green, found 'blue'"),
    (b'{"number": 1, "share": null, "inner": {"colour": "red", "shares": [1, null]}}',
     r"\$.inner.shares\[1\]: expected float, found NoneType"),
    (b'{"number": 1, "share": null, "inner": null, "versions": {"a": 1}}',
     r"\$.versions.a: expected str, found int"),
])
def test_what_is_refused(content: bytes, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        from_json(Outer, content)
