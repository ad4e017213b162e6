"""`visavox inspect`: what a bundle holds and how well it does."""

from __future__ import annotations

from argparse import Namespace

import msgspec

from edge_runtime.bundle import load_bundle
from edge_runtime.cli.options import add_bundle
from edge_runtime.command import Commands
from edge_runtime.manifest import Accuracy, Manifest
from edge_runtime.output import percent, print_json, table
from edge_runtime.terminal import printable


def add(commands: Commands) -> None:
    inspect = commands.add("inspect", _inspect, "say what a bundle holds and how well it does",
                           example="bundle")
    add_bundle(inspect)


def _inspect(options: Namespace) -> None:
    # An uncertified bundle may be looked at: its reason is what the reader came for.
    bundle = load_bundle(options.bundle, allow_uncertified=True)
    manifest = bundle.manifest
    bundle.networks()
    if options.json:
        print_json(msgspec.to_builtins(manifest))
        return
    print(printable(f"{options.bundle}: {manifest.family} {manifest.variant}, {manifest.recipe}, "
                    f"{len(manifest.people)} people"))
    print(printable(f"certified: {'yes' if manifest.certified else 'no'} ({manifest.reason})"))
    for warning in manifest.warnings:
        print(printable(f"warning: {warning}"))
    print()
    print(network_table(manifest))
    if manifest.accuracy:
        print("\n" + accuracy_line(manifest.accuracy))
    print(f"thresholds: {'set' if manifest.thresholds else 'none: people are ranked only'}")
    print(printable(f"people: {', '.join(manifest.people)}"))


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
    return printable(f"accuracy in % on {accuracy.combinations} combinations of {accuracy.data}"
                     f"{mark}: {shares}; agrees with Keras on {percent(accuracy.agreement)}")
