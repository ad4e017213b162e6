"""`visavox export-web`: a folder for the browser of a phone."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from edge_runtime.apps.cli.options import add_bundle, add_enrolled, need, open_enrolled
from edge_runtime.console.output import print_json
from edge_runtime.console.parser import Commands


def add_export_web(commands: Commands) -> None:
    export = commands.add("export-web", _export_web, "make a folder that runs in the browser of an "
                                                     "Android phone, without a server's help",
                          example="bundle --out phone")
    add_bundle(export)
    export.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    add_enrolled(export, "take the thresholds found for this gallery along, and nobody in it")


def _export_web(options: Namespace) -> None:
    from edge_runtime.bundle.networks import load_bundle
    from edge_runtime.web.export import export_web

    need(options, "--key", "--gallery")
    manifest = load_bundle(options.bundle, allow_uncertified=options.allow_uncertified).manifest
    with open_enrolled(options, manifest) as gallery:
        thresholds = gallery.thresholds() if gallery else None
    export_web(options.bundle, options.out, thresholds=thresholds,
               allow_uncertified=options.allow_uncertified)
    size = sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file())
    if options.json:
        print_json({"folder": str(options.out), "bytes": size, "thresholds": {
            "trained": manifest.thresholds is not None, "enrolled": thresholds is not None}})
        return
    print(f"{options.out}: {size / 1e6:.1f} MB, of which a phone loads about a half")
    print("serve it over https, or by 'adb reverse' from localhost: see "
          "docs/how-to/phone.md")
