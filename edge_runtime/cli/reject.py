"""`visavox reject`: this face or voice was not that person."""

from __future__ import annotations

from argparse import Namespace

from edge_runtime.cli.options import add_bundle, add_gallery, add_samples, sample_files
from edge_runtime.command import Commands
from edge_runtime.enrolment.files import read_samples
from edge_runtime.gallery.clock import REJECTED_DAYS
from edge_runtime.gallery.store import Gallery
from edge_runtime.output import counted, print_json


def add(commands: Commands) -> None:
    reject = commands.add("reject", _reject, "keep faces and clips that are not this person, for "
                                             f"{REJECTED_DAYS} days",
                          example="Anna bundle --gallery gallery.db --face not-anna.png")
    reject.add_argument("name", metavar="NAME")
    add_bundle(reject)
    add_gallery(reject)
    add_samples(reject)


def _reject(options: Namespace) -> None:
    from edge_runtime.identify import Identifier

    identifier = Identifier.load(options.bundle, allow_uncertified=options.allow_uncertified)
    # What was taken for somebody may well have been blurred, dark or noisy.
    files = sample_files(options.face, "face"), sample_files(options.voice, "voice")
    samples = read_samples(identifier, *files, any_quality=True)
    with Gallery.open(options.gallery, identifier.manifest, options.key, mode="write") as gallery:
        gallery.reject(options.name, samples)
    faces, clips = map(len, files)
    if options.json:
        print_json({"person": options.name, "faces": faces, "clips": clips,
                    "days": REJECTED_DAYS})
    else:
        print(f"{counted(faces, 'face')} and {counted(clips, 'clip')} are kept as not "
              f"{options.name}, for {REJECTED_DAYS} days")
