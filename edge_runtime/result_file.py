"""Figures as JSON that may be kept: with the schema's version, their kind, and what made them."""

from __future__ import annotations

import datetime
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_runtime import __version__
from edge_runtime.output import finite
from edge_runtime.terminal import printable

SCHEMA = 1  # of result files; another one where a key is renamed, left out or means something else
_SHORT_LIST = re.compile(r"\[\n[^\[\]{}]*\]")  # strings hold no line breaks of their own


def stamped(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The content as a result of this kind: the command that makes it, such as `train evaluate`."""
    return {"schema": SCHEMA, "kind": kind,
            "made_by": {"command": _command(), "version": __version__,
                        "date": datetime.date.today().isoformat()}, **content}


def result_text(content: Mapping[str, Any]) -> str:
    """JSON in lines, lists of plain values on one."""
    return _SHORT_LIST.sub(lambda found: re.sub(r"\n\s*", " ", found[0]).replace("[ ", "[")
                           .replace(" ]", "]"), json.dumps(finite(content), indent=1,
                                                                allow_nan=False))


def print_result(kind: str, content: Mapping[str, Any]) -> None:
    """One object on standard output."""
    print(result_text(stamped(kind, content)))


def _command() -> str:
    """As it was given, of files and folders the names alone: where they lie is nobody's business;
    of an address, which may hold a password, the scheme."""
    script = Path(sys.argv[0])
    name = (f"python -m {script.parent.name}" if script.name == "__main__.py" else script.name)
    return printable(" ".join([name, *map(_shown, sys.argv[1:])]))


def _shown(word: str) -> str:
    scheme, address, _ = word.partition("://")
    if address:
        return f"{scheme}{address}..."
    return Path(word).name if "/" in word else word
