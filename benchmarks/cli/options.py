"""Arguments that several commands take."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path


def add_bundles(parser: ArgumentParser) -> None:
    """Some bundles, one at least."""
    parser.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE")


def add_threads(parser: ArgumentParser) -> None:
    """--threads, one number."""
    parser.add_argument("--threads", type=int, default=1, help="of the interpreter (1)")


def add_rounds(parser: ArgumentParser) -> None:
    """--rounds."""
    parser.add_argument("--rounds", type=int, default=200, help="timed runs of each (200)")


def add_json(parser: ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")
