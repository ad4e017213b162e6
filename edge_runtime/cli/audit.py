"""`visavox audit`: what was done with the gallery and when, and whether the log holds."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict

from edge_runtime.cli.options import add_gallery, add_json
from edge_runtime.command import Commands
from edge_runtime.gallery.store import Gallery
from edge_runtime.output import print_json, table


def add(commands: Commands) -> None:
    audit = commands.add("audit", _audit, "check the log of what was done with the gallery",
                         example="--gallery gallery.db")
    add_gallery(audit)
    audit.add_argument("--accept", action="store_true",
                       help="take a gallery that somebody altered, or an older copy of it, as it "
                            "is from now on; the log says so")
    add_json(audit)


def _audit(options: Namespace) -> None:
    with Gallery.open(options.gallery, key_file=options.key, mode="audit") as gallery:
        if options.accept:
            gallery.accept()
        entries = gallery.audit()
    if options.json:
        print_json({"holds": True, "entries": [asdict(entry) for entry in entries]})
        return
    rows = [[str(entry.number), entry.time.removesuffix("+00:00"), entry.event,
             entry.person or (entry.subject[:8] if entry.subject else "-"),
             ", ".join(f"{count} {what}" for what, count in entry.counts.items()) or "-"]
            for entry in entries]
    print(table(["", "time (UTC)", "event", "person", "what"], rows))
    print(f"\n{len(entries)} entries, the chain holds")
