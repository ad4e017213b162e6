"""`python -m convert`: from a run folder to a bundle."""

from __future__ import annotations

import functools
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from edge_runtime.apps.cli.inspect import accuracy_line, network_table
from edge_runtime.console.output import print_json, print_result, say_problems, silenced_stderr
from edge_runtime.console.parser import Commands
from edge_runtime.errors import UsageError

if TYPE_CHECKING:
    from edge_runtime.bundle.manifest import Manifest
    from edge_runtime.dataset.collection import Collection
    from train.runs.folder import RunFolder


def all_commands() -> Commands:
    """What `python -m convert` can do."""
    commands = Commands("python -m convert", "Convert trained networks for the device.")
    bundle = commands.add("bundle", _bundle, "convert a run by one recipe into a bundle",
                          example="run --recipe mixed_wi8 --out bundle\n"
                                  "run --recipe float32 --out bundle-float32 --recipe mixed_wi8 "
                                  "--out bundle")
    bundle.add_argument("--recipe", required=True, action="append",
                        help="see docs/explanation/quantization.md; again, each with an --out, "
                             "for more bundles")
    bundle.add_argument("--out", type=Path, required=True, action="append", metavar="BUNDLE")
    bundle.add_argument("--untrained", action="store_true",
                        help="measure no accuracy; the bundle will not be certified")
    bundle.add_argument("--runtime", choices=("litert", "tflite-2.14"), default="litert",
                        help="tflite-2.14: dense layers with one scale each, which the old "
                             "tflite-runtime takes (litert)")
    bundle.add_argument("--max-drop", type=float, default=0.5, metavar="POINTS",
                        help="of 'auto': accuracy that int8 may cost on validation (0.5)")
    sweep = commands.add("sweep", _sweep, "convert a run by every recipe and compare them",
                         example="run --out recipes --recipes float32,mixed_wi8")
    sweep.add_argument("--out", type=Path, required=True, metavar="FOLDER",
                       help="table, plots, and a bundle for each recipe")
    sweep.add_argument("--recipes", default="all", help="'all', or names with commas between them")
    sweep.add_argument("--rounds", type=int, default=100, help="of the latency's measurement (100)")
    support = commands.add("support", _support, "try every recipe on every family, untrained",
                           example="--out support")
    support.add_argument("--out", type=Path, required=True, metavar="FOLDER",
                         help="what is known so far; a table in it goes on")
    support.add_argument("--families", default="all", help="'all', or names with commas between "
                                                           "them")
    support.add_argument("--recipes", default="all", help="as of sweep")
    support.add_argument("--image-size", type=int, default=64, metavar="S")
    support.add_argument("--json", action="store_true", help="print one JSON object")
    for command in (bundle, sweep):
        command.add_argument("run_folder", type=Path, metavar="RUN")
        command.add_argument("--data", type=Path, help="people or pack (those of the training)")
        command.add_argument("--no-fold", action="store_true",
                             help="leave norms and factors as they were trained, to compare")
        command.add_argument("--json", action="store_true", help="print one JSON object")
    return commands


def _bundle(options: Namespace) -> None:
    with silenced_stderr():  # TensorFlow's notes about graphics cards that are not there
        from convert.bundle import describe, make_bundles
        from convert.quantize.recipes import find_recipe
    from train.runs.folder import load_run

    for recipe in options.recipe:
        find_recipe(recipe)
    if len(options.recipe) != len(options.out) or len(set(options.out)) < len(options.out):
        raise UsageError("expected each --recipe with a different --out, found "
                         f"{len(options.recipe)} and {len(set(options.out))}")
    folder = load_run(options.run_folder)
    collection = None if options.untrained else _collection(options, folder)
    manifests = make_bundles(
        folder, list(zip(options.recipe, options.out, strict=True)), collection,
        folded=not options.no_fold, runtime=options.runtime, max_drop=options.max_drop / 100,
        say=_say(options))
    if options.json:
        found = [describe(manifest) for manifest in manifests]
        print_json(found[0] if len(found) == 1 else {"bundles": found})
        return
    for manifest, out in zip(manifests, options.out, strict=True):
        _print_bundle(manifest, out)


def _print_bundle(manifest: Manifest, out: Path) -> None:
    print(network_table(manifest))
    if manifest.accuracy:
        print("\n" + accuracy_line(manifest.accuracy))
    print(f"{'certified' if manifest.certified else 'not certified'}: {manifest.reason}")
    for warning in manifest.warnings:
        print(f"warning: {warning}")
    print(f"bundle: {out}")


def _sweep(options: Namespace) -> None:
    from benchmarks.report.conversion import recipes_table, without_layers

    with silenced_stderr():
        from convert.quantize.recipes import SWEPT, find_recipe
        from convert.sweep import sweep
    from train.runs.folder import load_run

    names = _names(options.recipes, SWEPT, find_recipe)
    if options.rounds < 1:
        raise UsageError(f"--rounds expects a number above 0, found {options.rounds}")
    folder = load_run(options.run_folder)
    content = sweep(folder, options.out, _collection(options, folder), recipes=names,
                    rounds=options.rounds, folded=not options.no_fold, say=_say(options))
    if options.json:
        print_result("convert sweep", without_layers(content))
    else:
        print(f"\n{recipes_table(content)}\ntable, plots and bundles: {options.out}")


def _support(options: Namespace) -> None:
    from benchmarks.report.conversion import support_table

    with silenced_stderr():
        from convert.quantize.recipes import SWEPT, find_recipe
        from convert.support import support
        from train.models.registry import FAMILIES, family_of

    content = support(
        options.out, _names(options.families, tuple(FAMILIES), family_of),
        _names(options.recipes, SWEPT, find_recipe), image_size=options.image_size,
        say=_say(options))
    if options.json:
        print_result("convert support", content)
    else:
        print(support_table(content))


def _names(asked: str, known: Sequence[str], check: Callable[[str], object]) -> list[str]:
    """What an option names: 'all', or names with commas between them, each checked."""
    names = list(known) if asked == "all" else [name.strip() for name in asked.split(",")]
    for name in names:
        check(name)
    return names


def _say(options: Namespace) -> Callable[[str], None]:
    """How work in progress is told: not at all where standard output is for one JSON object."""
    return (lambda line: None) if options.json else functools.partial(print, flush=True)


def _collection(options: Namespace, folder: RunFolder) -> Collection:
    from train.data import read_data

    run = folder.run
    if run.data is None:
        raise UsageError(f"{options.run_folder}: the run is untrained; there is nothing to measure "
                         "(a bundle for latency only: convert bundle --untrained)")
    collection = read_data(options.data or Path(run.data.root), run.spec.image_size, run.split_seed)
    say_problems(collection.problems)
    return collection


if __name__ == "__main__":
    sys.exit(all_commands().main())
