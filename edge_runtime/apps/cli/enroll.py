"""`visavox enroll`: add somebody to the people known here; `visavox reject`: that was not them."""

from __future__ import annotations

import re
import sys
import time
from argparse import Namespace
from contextlib import ExitStack
from typing import TYPE_CHECKING

from edge_runtime.apps.cli.options import (
    add_bundle,
    add_detector,
    add_gallery,
    add_samples,
    detector_from,
    need,
    need_pictures,
    sample_files,
)
from edge_runtime.capture.devices import CAMERA_HELP, MICROPHONE_HELP
from edge_runtime.console.output import counted, print_json
from edge_runtime.console.parser import Commands
from edge_runtime.enrolment.files import read_samples
from edge_runtime.enrolment.rules import RULES
from edge_runtime.errors import UsageError
from edge_runtime.files import checked_name
from edge_runtime.gallery.database import REJECTED_DAYS
from edge_runtime.gallery.samples import NewSample
from edge_runtime.gallery.store import Gallery

if TYPE_CHECKING:
    from edge_runtime.decision.identify import Identifier
    from edge_runtime.enrolment.live import Progress

MOST = RULES.max_samples
WANTED, SECONDS = RULES.wanted["live"], 60  # where nothing else was asked for


def add_enroll(commands: Commands) -> None:
    enroll = commands.add("enroll", _enroll, "enroll somebody from faces and clips, of files or "
                                             "live; pictures and sound are not kept",
                          example="Anna bundle --gallery gallery.db --face anna/1.jpg anna/2.jpg "
                                  "--voice anna/1.wav\n"
                                  "Ben bundle --gallery gallery.db --camera auto --microphone auto")
    enroll.add_argument("name", metavar="NAME")
    add_bundle(enroll)
    add_gallery(enroll)
    add_samples(enroll)
    enroll.add_argument("--camera", help=f"take faces live: {CAMERA_HELP}")
    enroll.add_argument("--microphone", help=f"take clips live: {MICROPHONE_HELP}")
    enroll.add_argument("--faces", type=int, metavar="N",
                        help=f"faces from the camera, at most {MOST} ({WANTED.faces})")
    enroll.add_argument("--clips", type=int, metavar="N",
                        help=f"clips from the microphone, at most {MOST} ({WANTED.clips})")
    enroll.add_argument("--seconds", type=float, metavar="S",
                        help=f"how long camera and microphone are tried ({SECONDS})")
    add_detector(enroll)
    enroll.add_argument("--consent", metavar="TEXT",
                        help="what the person agreed to, kept encrypted with their name")
    enroll.add_argument("--allow-duplicate", action="store_true",
                        help="enroll somebody who seems enrolled under another name")
    enroll.add_argument("--force", action="store_true",
                        help="enroll by a network that does not tell new people apart, too; the "
                             "gallery remembers it")


def _enroll(options: Namespace) -> None:
    from edge_runtime.decision.identify import Identifier

    checked_name(options.name)  # before a gallery is made for it
    need(options, "--faces", "--camera")
    need(options, "--clips", "--microphone")
    need(options, "--seconds", "--camera", "--microphone")
    need_pictures(options, "--camera")
    live = options.camera is not None or options.microphone is not None
    if live and (options.face or options.voice):
        raise UsageError("expected files, or a camera and a microphone, found both; enroll from "
                         "one of them")
    identifier = Identifier.load(options.bundle, allow_uncertified=options.allow_uncertified)
    samples = (_live_samples(options, identifier) if live
               else read_samples(identifier, sample_files(options.face, "face"),
                                 sample_files(options.voice, "voice")))
    with Gallery.open(options.gallery, identifier.manifest, options.key,
                      mode="create", force=options.force) as gallery:
        found = gallery.enroll(options.name, samples, consent=options.consent,
                               allow_duplicate=options.allow_duplicate)
    if options.json:
        print_json({"person": found.person, "faces": found.faces, "clips": found.clips,
                    "enrolled": found.enrolled})
    else:
        print(f"{found.person} is enrolled from {counted(found.faces, 'face')} and "
              f"{counted(found.clips, 'clip')}")


def _live_samples(options: Namespace, identifier: Identifier) -> list[NewSample]:
    from edge_runtime.capture.devices import camera_from, microphone_from
    from edge_runtime.capture.files import FileClock
    from edge_runtime.enrolment.live import LiveEnrolment, gather

    num_faces, num_clips, seconds = (
        default if value is None else value for value, default in (
            (options.faces, WANTED.faces), (options.clips, WANTED.clips),
            (options.seconds, SECONDS)))
    if min(num_faces, num_clips) < 1 or not seconds > 0:
        raise UsageError("--faces, --clips and --seconds expect numbers above 0")
    if options.gallery.exists():  # before somebody sits down in vain
        with Gallery.open(options.gallery, identifier.manifest, options.key) as gallery:
            gallery.check_free(options.name)
    clock = FileClock()
    camera = camera_from(options.camera, clock) if options.camera is not None else None
    microphone = (microphone_from(options.microphone, clock)
                  if options.microphone is not None else None)
    enrolment = LiveEnrolment(identifier, detector_from(options), num_faces if camera else 0,
                              num_clips if microphone else 0, time.monotonic())
    with ExitStack() as stack:
        for source in (camera, microphone):
            if source:
                stack.enter_context(source)
        say = _Lines()
        for progress in gather(enrolment, camera, microphone, seconds):
            say.look(progress)
    return enrolment.samples


class _Lines:
    """What somebody who sits in front of the camera needs to know, a line for every change."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}
        self._say("begin", "look into the camera, turn the head a little, and speak")

    def look(self, progress: Progress) -> None:
        for modality, status in progress.status.items():
            self._say(f"{modality} source",
                      status.message if status.state not in ("starting", "ok") else "")
        self._say("count", f"{counted(progress.faces, 'face')}, "
                           f"{counted(progress.clips, 'clip')}")
        for modality, reason in progress.refused.items():
            # How much speech there was, or how large the face, changes with every look.
            self._say(modality, f"{modality}: {reason}" if reason else "",
                      re.sub(r"\d", "", reason or ""))

    def _say(self, about: str, line: str, told_apart_by: str | None = None) -> None:
        key = line if told_apart_by is None else told_apart_by
        if line and self._said.get(about) != key:
            print(line, file=sys.stderr, flush=True)
        self._said[about] = key


def add_reject(commands: Commands) -> None:
    reject = commands.add("reject", _reject, "keep faces and clips that are not this person, for "
                                             f"{REJECTED_DAYS} days",
                          example="Anna bundle --gallery gallery.db --face not-anna.png")
    reject.add_argument("name", metavar="NAME")
    add_bundle(reject)
    add_gallery(reject)
    add_samples(reject)


def _reject(options: Namespace) -> None:
    from edge_runtime.decision.identify import Identifier

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
