"""`visavox enroll`: add somebody to the people known here, without training anew."""

from __future__ import annotations

from argparse import Namespace

from edge_runtime.cli.options import add_bundle, add_gallery, add_samples
from edge_runtime.command import Commands, counted, print_json
from edge_runtime.gallery.names import checked_name
from edge_runtime.gallery.samples import read_samples
from edge_runtime.gallery.store import Gallery


def add(commands: Commands) -> None:
    enroll = commands.add("enroll", _enroll, "enroll somebody from faces and clips; pictures and "
                                             "sound are not kept")
    enroll.add_argument("name", metavar="NAME")
    add_bundle(enroll)
    add_gallery(enroll)
    add_samples(enroll)
    enroll.add_argument("--consent", metavar="TEXT",
                        help="what the person agreed to, kept encrypted with their name")
    enroll.add_argument("--allow-duplicate", action="store_true",
                        help="enroll somebody who seems enrolled under another name")


def _enroll(options: Namespace) -> None:
    from edge_runtime.identify import Identifier

    checked_name(options.name)  # before a gallery is made for it
    identifier = Identifier.load(options.bundle, allow_uncertified=options.allow_uncertified)
    samples = read_samples(identifier, options.face, options.voice)
    with Gallery.open(options.gallery, identifier.manifest, options.key,
                      mode="create") as gallery:
        found = gallery.enroll(options.name, samples, consent=options.consent,
                               allow_duplicate=options.allow_duplicate)
    if options.json:
        print_json({"person": found.person, "faces": found.faces, "clips": found.clips,
                    "enrolled": found.enrolled})
    else:
        print(f"{found.person} is enrolled from {counted(found.faces, 'face')} and "
              f"{counted(found.clips, 'clip')}")
