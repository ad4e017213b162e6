"""`visavox watch`: who is in front of the camera and speaks, until it is stopped."""

from __future__ import annotations

import json
import time
from argparse import Namespace
from contextlib import ExitStack
from typing import TYPE_CHECKING

from edge_runtime.capture.choose import CAMERA_HELP, MICROPHONE_HELP
from edge_runtime.cli.options import (
    add_bundle,
    add_detector,
    add_enrolled,
    detector_from,
    need,
    need_pictures,
    open_enrolled,
)
from edge_runtime.command import Commands
from edge_runtime.errors import UsageError
from edge_runtime.interpreter import chosen_interpreter
from edge_runtime.terminal import printable

if TYPE_CHECKING:
    from edge_runtime.watch import Seen


def add(commands: Commands) -> None:
    watch = commands.add("watch", _watch, "name who is in front of the camera, as long as it runs",
                         example="bundle --camera auto --microphone auto\n"
                                 "bundle --gallery gallery.db --camera 0 --seconds 60 --json",
                         end="Exit code 0 also where nobody was named: a script reads 'person' of "
                             "the lines of --json, which is null for nobody.")
    add_bundle(watch)
    add_enrolled(watch)
    watch.add_argument("--camera", help=CAMERA_HELP)
    watch.add_argument("--microphone", help=MICROPHONE_HELP)
    watch.add_argument("--seconds", type=float, metavar="S", help="stop after so long")
    add_detector(watch)


def _watch(options: Namespace) -> None:
    from edge_runtime.capture.choose import camera_from, microphone_from
    from edge_runtime.capture.files import FileClock
    from edge_runtime.identify import Identifier
    from edge_runtime.watch import Watcher, watch

    if options.camera is None and options.microphone is None:
        raise UsageError("expected --camera or --microphone or both, found neither; 'visavox "
                         "devices' lists what there is")
    if options.seconds is not None and not options.seconds > 0:
        raise UsageError(f"--seconds expects a number above 0, found {options.seconds:g}")
    need(options, "--key", "--gallery")
    need_pictures(options, "--camera")
    clock = FileClock()
    camera = camera_from(options.camera, clock) if options.camera is not None else None
    microphone = (microphone_from(options.microphone, clock)
                  if options.microphone is not None else None)
    identifier = Identifier.load(options.bundle, allow_uncertified=options.allow_uncertified)
    detector = detector_from(options)
    with ExitStack() as stack:
        gallery = stack.enter_context(open_enrolled(options, identifier.manifest))
        watcher = Watcher(identifier, detector, gallery)
        for source in (camera, microphone):
            if source:
                stack.enter_context(source)
        say = _Lines(options.json)
        for seen in watch(watcher, camera, microphone, options.seconds):
            say.look(seen)


class _Lines:
    """A line for every change: of the name, and of how camera and microphone are."""

    def __init__(self, as_json: bool) -> None:
        self._begin_s, self._json = time.monotonic(), as_json
        self._named: str | None = None
        self._states: dict[str, str] = {}

    def look(self, seen: Seen) -> None:
        at_s = round(seen.at_s - self._begin_s, 2)
        for name, status in seen.status.items():
            if self._states.get(name, "starting") != status.state:
                self._say(at_s, {"source": name, "state": status.state,
                                 "message": status.message}, status.message)
            self._states[name] = status.state
        if seen.named != self._named:
            score = (float(seen.decision.scores["fused"].max()) if seen.decision and seen.named
                     else None)
            self._say(at_s, {"person": seen.named, "score": score,
                             "interpreter": str(chosen_interpreter())},
                      f"{seen.named} ({score:.2f})" if score is not None else
                      seen.named or "nobody")
            self._named = seen.named

    def _say(self, at_s: float, content: dict[str, object], line: str) -> None:
        print(json.dumps({"at_s": at_s, **content}) if self._json
              else printable(f"{at_s:7.2f} s  {line}"), flush=True)
