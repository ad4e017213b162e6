"""`python -m convert`: from a run folder to a bundle."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from edge_runtime.cli import accuracy_line, network_table
from edge_runtime.command import Commands, print_json, silenced_stderr
from edge_runtime.errors import UsageError


def main() -> int:
    commands = Commands("python -m convert", "Convert trained networks for the device.")
    bundle = commands.add("bundle", _bundle, "convert a run by one recipe into a bundle")
    bundle.add_argument("run_folder", type=Path, metavar="RUN")
    bundle.add_argument("--recipe", required=True, help="see convert/recipes.py")
    bundle.add_argument("--out", type=Path, required=True, metavar="BUNDLE")
    bundle.add_argument("--data", type=Path, help="folder of people (that of the training)")
    bundle.add_argument("--untrained", action="store_true",
                        help="measure no accuracy; the bundle will not be certified")
    bundle.add_argument("--no-fold", action="store_true",
                        help="leave norms and factors as they were trained, to compare")
    bundle.add_argument("--json", action="store_true", help="print one JSON object")
    return commands.main()


def _bundle(options: Namespace) -> None:
    with silenced_stderr():  # TensorFlow's notes about graphics cards that are not there
        from convert.bundle import describe, make_bundle
        from convert.recipes import find_recipe
    from train.pack import read_data
    from train.run import load_run

    find_recipe(options.recipe)
    folder = load_run(options.run_folder)
    run, collection = folder.run, None
    if not options.untrained:
        if run.data is None:
            raise UsageError(f"{options.run_folder}: the run is untrained; convert it with "
                             "--untrained")
        collection = read_data(options.data or Path(run.data.root), run.spec.image_size,
                               run.split_seed)
    manifest = make_bundle(folder, options.recipe, options.out, collection,
                           folded=not options.no_fold)
    content = describe(manifest)
    if options.json:
        print_json(content)
        return
    print(network_table(manifest))
    if manifest.accuracy:
        print("\n" + accuracy_line(manifest.accuracy))
    print(f"{'certified' if manifest.certified else 'not certified'}: {manifest.reason}")
    print(f"bundle: {options.out}")


if __name__ == "__main__":
    sys.exit(main())
