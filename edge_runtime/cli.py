"""The command `visavox`: what is done on the device."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_runtime.bundle import load_bundle
from edge_runtime.command import Commands, percent, print_json, table
from edge_runtime.errors import UsageError
from edge_runtime.identify import Decision, Identifier
from edge_runtime.manifest import Accuracy, Manifest

DESCRIPTION = ("Identify a person on this device from a picture of the face and a few seconds of "
               "speech. It says who is probably there; it is not access control: a photograph and "
               "a recording pass for the person.")


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point of `visavox`."""
    commands = Commands("visavox", DESCRIPTION)
    identify = commands.add("identify", _identify, "rank a bundle's people by a face and a clip")
    _add_bundle(identify)
    identify.add_argument("--face", type=Path, metavar="FILE", help="a crop of the face")
    identify.add_argument("--voice", type=Path, metavar="FILE", help="a clip of speech")
    identify.add_argument("--top", type=int, default=5, metavar="N", help="people shown (5)")
    identify.add_argument("--threads", type=int, default=1, metavar="N",
                          help="threads of the interpreter (1)")
    inspect = commands.add("inspect", _inspect, "say what a bundle holds and how well it does")
    _add_bundle(inspect)
    return commands.main(arguments)


def _add_bundle(parser: ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--allow-uncertified", action="store_true",
                        help="use a bundle that did not pass its checks")


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


def _inspect(options: Namespace) -> None:
    # An uncertified bundle may be looked at: its reason is what the reader came for.
    bundle = load_bundle(options.bundle, allow_uncertified=True)
    manifest = bundle.manifest
    bundle.networks()
    if options.json:
        print_json(msgspec.to_builtins(manifest))
        return
    print(f"{options.bundle}: {manifest.family} {manifest.variant}, {manifest.recipe}, "
          f"{len(manifest.people)} people")
    print(f"certified: {'yes' if manifest.certified else 'no'} ({manifest.reason})")
    for warning in manifest.warnings:
        print(f"warning: {warning}")
    print()
    print(network_table(manifest))
    if manifest.accuracy:
        print("\n" + accuracy_line(manifest.accuracy))
    print(f"thresholds: {'set' if manifest.thresholds else 'none: people are ranked only'}")
    print(f"people: {', '.join(manifest.people)}")


def network_table(manifest: Manifest) -> str:
    """A bundle's networks, a row each."""
    return table(["network", "MB", "MB gzip", "XNNPACK partitions", "largest error"],
                 [[part, f"{file.bytes / 1e6:.2f}", f"{file.gzip_bytes / 1e6:.2f}",
                   "-" if file.xnnpack_partitions is None else str(file.xnnpack_partitions),
                   "-" if file.max_abs_error is None else f"{file.max_abs_error:.1e}"]
                  for part, file in manifest.files.items()])


def accuracy_line(accuracy: Accuracy) -> str:
    """A bundle's accuracy, in one line."""
    mark = " (synthetic people)" if accuracy.synthetic else ""
    shares = ", ".join(f"{name} {percent(share)}" for name, share in accuracy.columns.items())
    return (f"accuracy in % on {accuracy.combinations} combinations of {accuracy.data}{mark}: "
            f"{shares}; agrees with Keras on {percent(accuracy.agreement)}")
