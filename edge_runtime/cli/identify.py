"""`visavox identify`: who is on a picture and in a clip."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

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
from edge_runtime.decide import Decision
from edge_runtime.errors import UsageError
from edge_runtime.identify import Identifier
from edge_runtime.modalities import MODALITIES
from edge_runtime.output import print_json, table
from edge_runtime.terminal import printable


def add(commands: Commands) -> None:
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
