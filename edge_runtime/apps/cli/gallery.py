"""Enrolled people: `visavox people`, `forget`, `audit`, `export` and `import`."""

from __future__ import annotations

import getpass
import os
import sys
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from edge_runtime.apps.cli.options import add_bundle, add_gallery, add_json
from edge_runtime.bundle.networks import load_bundle
from edge_runtime.console.output import print_json, table
from edge_runtime.console.parser import Commands
from edge_runtime.console.terminal import printable
from edge_runtime.errors import UsageError
from edge_runtime.gallery.export import read_export
from edge_runtime.gallery.store import Gallery


def add_people(commands: Commands) -> None:
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


def add_forget(commands: Commands) -> None:
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


def add_audit(commands: Commands) -> None:
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


PASSPHRASE = "VISAVOX_PASSPHRASE"


def ask_passphrase(*, new: bool = False) -> str:
    """The passphrase; a `new` one is asked for twice. UsageError where nobody can be asked."""
    if given := os.environ.get(PASSPHRASE):
        return given
    if not sys.stdin.isatty():
        raise UsageError(f"expected a passphrase in ${PASSPHRASE} or a terminal to ask on, found "
                         "neither; set it, or run this in a terminal")
    try:
        passphrase = getpass.getpass("passphrase of the export: ")
        if new and getpass.getpass("the same again: ") != passphrase:
            raise UsageError("the two passphrases differ; do it again")
    except EOFError:
        raise UsageError("expected a passphrase, found the end of the input") from None
    return passphrase


def add_export(commands: Commands) -> None:
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


def add_import(commands: Commands) -> None:
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
