"""`visavox import`: people from an encrypted file that `visavox export` made."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from edge_runtime.bundle import load_bundle
from edge_runtime.cli.options import add_bundle, add_gallery
from edge_runtime.cli.passphrase import PASSPHRASE, ask_passphrase
from edge_runtime.command import Commands
from edge_runtime.gallery.envelope import read_export
from edge_runtime.gallery.store import Gallery
from edge_runtime.output import print_json
from edge_runtime.terminal import printable


def add(commands: Commands) -> None:
    import_ = commands.add("import", _import, "add the people of an exported file; the passphrase "
                                              f"is asked for, or ${PASSPHRASE}",
                           example="people.visavox bundle --gallery gallery.db")
    import_.add_argument("file", type=Path, metavar="FILE")
    add_bundle(import_)
    add_gallery(import_)
    import_.add_argument("--allow-duplicate", action="store_true",
                         help="import people who seem enrolled under another name")


def _import(options: Namespace) -> None:
    bundle = load_bundle(options.bundle, allow_uncertified=options.allow_uncertified)
    content = read_export(options.file, ask_passphrase())
    with Gallery.open(options.gallery, bundle.manifest, options.key, mode="create") as gallery:
        found = gallery.import_people(content, options.file,
                                      allow_duplicate=options.allow_duplicate)
    if options.json:
        print_json({"people": list(found.people), "skipped": found.skipped})
        return
    print(f"{len(found.people)} people are imported")
    for name, reason in found.skipped.items():
        print(printable(f"not imported: {name}: {reason}"))
