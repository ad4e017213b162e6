"""`visavox export`: everybody enrolled, in one encrypted file."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from edge_runtime.cli.options import add_gallery, add_json
from edge_runtime.cli.passphrase import PASSPHRASE, ask_passphrase
from edge_runtime.command import Commands
from edge_runtime.gallery.store import Gallery
from edge_runtime.output import print_json


def add(commands: Commands) -> None:
    export = commands.add("export", _export, "write everybody enrolled into one encrypted file; "
                                             f"the passphrase is asked for, or ${PASSPHRASE}",
                          example="--gallery gallery.db --out people.visavox")
    add_gallery(export)
    export.add_argument("--out", type=Path, required=True, metavar="FILE")
    add_json(export)


def _export(options: Namespace) -> None:
    with Gallery.open(options.gallery, key_file=options.key, mode="write") as gallery:
        count = gallery.export_file(options.out, ask_passphrase(new=True))
    if options.json:
        print_json({"people": count, "file": str(options.out)})
    else:
        print(f"{count} people are in {options.out}; 'visavox forget' does not reach this file")
