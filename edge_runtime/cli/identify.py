"""`visavox identify`: who is on a picture and in a clip."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from edge_runtime.cli.options import add_bundle
from edge_runtime.command import Commands, print_json, table
from edge_runtime.errors import UsageError
from edge_runtime.identify import Decision, Identifier
from edge_runtime.manifest import Manifest


def add(commands: Commands) -> None:
    identify = commands.add("identify", _identify, "rank a bundle's people by a face and a clip")
    add_bundle(identify)
    identify.add_argument("--face", type=Path, metavar="FILE", help="a crop of the face")
    identify.add_argument("--voice", type=Path, metavar="FILE", help="a clip of speech")
    identify.add_argument("--top", type=int, default=5, metavar="N", help="people shown (5)")
    identify.add_argument("--threads", type=int, default=1, metavar="N",
                          help="threads of the interpreter (1)")


def _identify(options: Namespace) -> None:
    if options.face is None and options.voice is None:
        raise UsageError("expected --face FILE, --voice FILE or both, found neither")
    if options.top < 1 or options.threads < 1:
        raise UsageError("--top and --threads expect a number of at least 1")
    identifier = Identifier.load(options.bundle, num_threads=options.threads,
                                 allow_uncertified=options.allow_uncertified)
    decision = identifier.identify(options.face, options.voice, num_top=options.top)
    if options.json:
        print_json({
            "person": decision.person, "reason": decision.reason,
            "top": [{"person": r.person, "score": round(r.score, 6)} for r in decision.top],
            "ms": {stage: round(ms, 3) for stage, ms in decision.ms.items()},
            "interpreter": decision.interpreter})
    else:
        print(_describe(decision, identifier.manifest))


def _describe(decision: Decision, manifest: Manifest) -> str:
    parts = [part for part in ("face", "voice") if part in decision.scores]
    rows = [[str(place), ranked.person, f"{ranked.score:.3f}",
             *(f"{decision.scores[part][manifest.people.index(ranked.person)]:.3f}"
               for part in parts)]
            for place, ranked in enumerate(decision.top, 1)]
    headline = {
        "accepted": f"{decision.person}",
        "below_threshold": "nobody: no score reaches its threshold",
        "no_thresholds": f"most like {decision.top[0].person} (the bundle has no thresholds, so "
                         "nobody is named or refused)"}[decision.reason]
    stages = ", ".join(f"{stage.replace('_', ' ')} {ms:.1f}" for stage, ms in decision.ms.items())
    return "\n".join([headline, "", table(["", "person", "score", *parts], rows), "",
                      f"ms: {stages} ({decision.interpreter})"])
