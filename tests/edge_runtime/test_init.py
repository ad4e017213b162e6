"""What `import edge_runtime` offers, and what it costs."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import edge_runtime
from edge_runtime.decision.identify import Identifier
from edge_runtime.gallery.store import Gallery

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_every_name_is_there() -> None:
    assert edge_runtime.Identifier is Identifier and edge_runtime.Gallery is Gallery
    for name in edge_runtime.__all__:
        assert getattr(edge_runtime, name) is not None
    assert set(edge_runtime.__all__) <= set(dir(edge_runtime))
    with pytest.raises(AttributeError, match="'edge_runtime' has no attribute 'Identify'"):
        _ = edge_runtime.Identify


def test_types_are_told_of_every_name() -> None:
    stub = Path(edge_runtime.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    assert set(re.findall(r" as (\w+)|^(__\w+__):", stub, re.MULTILINE)) == {
        ("", name) if name == "__version__" else (name, "") for name in edge_runtime.__all__}


def test_a_name_costs_nothing_until_it_is_asked_for(run_python: Run) -> None:
    code = ("import json, sys; from edge_runtime import GalleryError; "
            "before = set(sys.modules); from edge_runtime import Identifier; "
            "print(json.dumps([sorted(before), sorted(sys.modules)]))")
    before, after = map(set, json.loads(run_python("-c", code).stdout))
    assert not before & {"numpy", "PIL", "soundfile", "msgspec", "ai_edge_litert", "cryptography"}
    assert "numpy" in after and "cryptography" not in after
