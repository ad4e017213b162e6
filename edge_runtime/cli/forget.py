"""`visavox forget`: destroy all that is stored of somebody, and show that it is gone."""

from __future__ import annotations

from argparse import Namespace

from edge_runtime.cli.options import add_gallery, add_json
from edge_runtime.command import Commands
from edge_runtime.gallery.store import Gallery
from edge_runtime.output import print_json
from edge_runtime.terminal import printable


def add(commands: Commands) -> None:
    forget = commands.add("forget", _forget, "destroy a person's key and data, and search for "
                                             "what may be left",
                          example="Anna --gallery gallery.db")
    forget.add_argument("name", metavar="NAME")
    add_gallery(forget)
    add_json(forget)


def _forget(options: Namespace) -> None:
    with Gallery.open(options.gallery, key_file=options.key, mode="write") as gallery:
        found = gallery.forget(options.name)
    if options.json:
        print_json({"person": found.person, "markers": found.markers, "left": 0,
                    "searched": [{"file": str(file.path), "bytes": file.bytes}
                                 for file in found.searched],
                    "elsewhere": list(found.elsewhere)})
        return
    print(f"{found.person} is forgotten: key and rows are destroyed, the file is written anew\n"
          f"searched for {found.markers} markers (id, wrapped key, ciphertexts), none found in:")
    for file in found.searched:
        print(printable(f"  {file.path} ({file.bytes} bytes)"))
    for sentence in found.elsewhere:
        print(printable(sentence))
    print("not searched: other folders and disks, other devices, snapshots, compressed backups")
