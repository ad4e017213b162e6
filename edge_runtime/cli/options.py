"""Arguments that several commands take."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path


def add_bundle(parser: ArgumentParser) -> None:
    """--bundle, --json and --allow-uncertified."""
    parser.add_argument("--bundle", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--allow-uncertified", action="store_true",
                        help="use a bundle that did not pass its checks")
