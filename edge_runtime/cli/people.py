"""`visavox people`: who is enrolled on this device."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict

from edge_runtime.cli.options import add_gallery, add_json
from edge_runtime.command import Commands
from edge_runtime.gallery.store import Gallery
from edge_runtime.output import print_json, table


def add(commands: Commands) -> None:
    people = commands.add("people", _people, "list the people enrolled on this device",
                          example="--gallery gallery.db")
    add_gallery(people)
    add_json(people)


def _people(options: Namespace) -> None:
    with Gallery.open(options.gallery, key_file=options.key) as gallery:
        people, forced = gallery.people(), gallery.forced()
    if options.json:
        print_json({"people": [asdict(person) for person in people],
                    "forced": forced})
        return
    if forced:
        print(f"since {forced[:10]} with --force: the network does not tell new people apart")
    if not people:
        print("nobody is enrolled")
    else:
        print(table(["person", "faces", "clips", "rejected", "consent", "enrolled (UTC)"],
                    [[p.person, str(p.faces), str(p.clips), str(p.rejected),
                      "yes" if p.consent else "-", p.enrolled.removesuffix("+00:00")]
                     for p in people]))
