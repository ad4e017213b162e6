"""The phone's JavaScript decides as Python does, on golden vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.data.phone_vectors.vectors import stored, vectors
from tests.edge_runtime.web.phone.conftest import Browse
from tests.edge_runtime.web.phone.serving import served

CLOSE = 1e-5


def close(found: Any, expected: Any) -> bool:
    """Equal, but for rounding."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(
            close(found[key], value) for key, value in expected.items())
    if isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(close, found, expected))
    if isinstance(expected, float):
        return found is not None and bool(abs(found - expected) <= CLOSE * max(1, abs(expected)))
    return bool(found == expected)


def test_the_vectors_are_what_python_decides() -> None:
    content, picture, steps = stored()
    assert close(vectors(picture, steps), content), (
        "Python decides otherwise now: change the phone's JavaScript likewise, then run "
        "'python -m tests.data.phone_vectors'")


@pytest.mark.browser
def test_javascript_decides_the_same(browse: Browse, page_folder: Path) -> None:
    content, _, _ = stored()
    script = Path(__file__).with_name("vectors.js").read_text(encoding="utf-8")
    with served(page_folder) as address, browse() as context:
        page = context.pages[0]
        page.goto(f"{address}languages/en.json")
        found = page.evaluate(script, content)
    assert close(found["crop"], content["crop"]["cases"])
    assert found["whole"] == content["crop"]["whole"]
    assert close(found["sound"], content["sound"]["cases"])
    assert close(found["fuse"], [case["fused"] for case in content["fuse"]])
    judged = ("person", "reason", "names", "fused", "leftOut", "threshold")
    for rule, cases in (("trained", content["trained"]),
                        ("enrolled", content["enrolled"]["cases"])):
        assert close(found[rule], [{key: case[key] for key in judged} for case in cases])
    assert close(found["evidence"], [{key: step[key] for key in ("named", "means")}
                                     for step in content["evidence"]["steps"]])
    assert close(found["visits"], [{key: step[key] for key in ("changed", "sinceS")}
                                   for step in content["visits"]])
    assert found["names"] == [{key: case[key] for key in ("stored", "same") if key in case}
                              for case in content["names"]]
    assert found["agreement"] == [case["agree"] for case in content["agreement"]]
