"""`visavox identify`: who is on a picture and in a clip; `visavox watch`: who is there now,
until it is stopped.
"""

from __future__ import annotations

import json
import time
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.apps.cli.options import (
    add_bundle,
    add_detector,
    add_enrolled,
    detector_from,
    need,
    need_pictures,
    open_enrolled,
)
from edge_runtime.bundle.networks import chosen_interpreter
from edge_runtime.capture.devices import CAMERA_HELP, MICROPHONE_HELP
from edge_runtime.console.output import print_json, table
from edge_runtime.console.parser import Commands
from edge_runtime.console.terminal import printable
from edge_runtime.decision.decide import Decision
from edge_runtime.decision.identify import Identifier
from edge_runtime.errors import UsageError
from edge_runtime.modalities import MODALITIES

if TYPE_CHECKING:
    from edge_runtime.decision.watch import Seen

def add_identify(commands: Commands) -> None:
    identify = commands.add(
        "identify", _identify, "rank a bundle's people by a face and a clip",
        example="bundle --face face.png --voice clip.wav\n"
                "bundle --gallery gallery.db --picture room.jpg --json",
        end="Exit code 0 also where it is nobody: a script reads 'person' of --json, which is null "
            "there.")
    add_bundle(identify)
    identify.add_argument("--face", type=Path, metavar="FILE", help="a crop of the face")
    identify.add_argument("--picture", type=Path, metavar="FILE",
                          help="a whole picture, on which the face is found first")
    identify.add_argument("--voice", type=Path, metavar="FILE", help="a clip of speech")
    add_enrolled(identify)
    identify.add_argument("--top", type=int, default=5, metavar="N", help="people shown (5)")
    identify.add_argument("--threads", type=int, default=1, metavar="N",
                          help="threads of the interpreter (1)")
    add_detector(identify)


def _identify(options: Namespace) -> None:
    if options.face is None and options.picture is None and options.voice is None:
        raise UsageError("expected --face FILE or --picture FILE, --voice FILE, or both, found "
                         "none")
    if options.face is not None and options.picture is not None:
        raise UsageError("expected --face FILE or --picture FILE, found both")
    need(options, "--key", "--gallery")
    need_pictures(options, "--picture")
    if options.top < 1 or options.threads < 1:
        raise UsageError("--top and --threads expect a number of at least 1")
    identifier = Identifier.load(options.bundle, num_threads=options.threads,
                                 allow_uncertified=options.allow_uncertified)
    detector = detector_from(options) if options.picture is not None else None
    with open_enrolled(options, identifier.manifest) as gallery:
        decision = identifier.identify(options.face, options.voice, picture=options.picture,
                                       detector=detector, gallery=gallery, num_top=options.top)
    if options.json:
        print_json(decision.content())
    else:
        print(_describe(decision))


def _describe(decision: Decision) -> str:
    parts = [part for part in MODALITIES if part in decision.scores]
    rows = [[str(place), ranked.person, f"{ranked.score:.3f}",
             *("-" if score is None else f"{score:.3f}"
               for score in decision.scores_of(ranked.person).values())]
            for place, ranked in enumerate(decision.top, 1)]
    best = decision.top[0].person if decision.top else ""
    headline = {
        "accepted": f"{decision.person}",
        "below_threshold": "nobody: no score reaches its threshold",
        "disagreement": "nobody: face and voice disagree",
        "nobody_enrolled": "nobody: nobody is enrolled in this gallery",
        "no_thresholds": f"most like {best} (there are no thresholds, so nobody is named or "
                         "refused)"}[decision.reason]
    stages = ", ".join(f"{stage.replace('_', ' ')} {ms:.1f}" for stage, ms in decision.ms.items())
    return "\n".join([printable(headline), *_threshold_line(decision), "",
                      table(["", "person", "score", *parts], rows), "", *_quality_lines(decision),
                      f"ms: {stages} ({decision.interpreter})"])


def _threshold_line(decision: Decision) -> list[str]:
    """What the best score was held against, with digits enough to tell both apart, and from 1."""
    if decision.threshold is None or decision.false_accept_rate is None:
        return []
    score, least = decision.top[0].score, decision.threshold
    digits = next((n for n in range(3, 6) if round(score, n) not in (1.0, round(least, n))), 6)
    return [f"score {score:.{digits}f}, threshold {least:.{digits}f}, which at most "
            f"{100 * decision.false_accept_rate:g} % of strangers reach"]


def _quality_lines(decision: Decision) -> list[str]:
    """What is wrong with the face and the voice, and whether one was left out for it."""
    lines = []
    for part, flaws in decision.quality.items():
        left_out = "" if part in decision.used else " left out"
        lines += [f"{part}{left_out}: {flaw.message}" for flaw in flaws or ()]
    return lines + [f"{printable(name)}: left out, for a 'not this person' sample is more alike"
                    for name in decision.left_out]


def add_watch(commands: Commands) -> None:
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
    from edge_runtime.capture.devices import camera_from, microphone_from
    from edge_runtime.capture.files import FileClock
    from edge_runtime.decision.identify import Identifier
    from edge_runtime.decision.watch import Watcher, watch

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
