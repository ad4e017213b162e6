"""`python -m train evaluate`: a run's accuracy."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any, get_args

from edge_runtime.command import Commands
from edge_runtime.errors import UsageError
from edge_runtime.output import percent, table
from edge_runtime.people import Split
from edge_runtime.result_file import print_result
from train.cli.options import import_keras
from train.cli.reading import read, say_noise


def add(commands: Commands) -> None:
    evaluate = commands.add("evaluate", _evaluate, "measure a run's accuracy on test pairs",
                            example="run\nrun --noise noise --snr 5")
    evaluate.add_argument("run_folder", type=Path, metavar="RUN")
    evaluate.add_argument("--data", type=Path,
                          help="folder of people, or a pack (that of the training)")
    evaluate.add_argument("--split", default="test", choices=get_args(Split))
    evaluate.add_argument("--noise", type=Path, metavar="DIR",
                          help="sound files of noise to add, or a pack")
    evaluate.add_argument("--snr", type=float, metavar="DB", help="speech over noise, with --noise")
    evaluate.add_argument("--json", action="store_true", help="print one JSON object")


def _evaluate(options: Namespace) -> None:
    import_keras()
    from train.evaluate import evaluate, save_accuracy, summary
    from train.pack import noises_in
    from train.run import load_run

    if (options.noise is None) != (options.snr is None):
        raise UsageError("--noise DIR and --snr DB go together, found one of them")
    say_noise(options.noise)
    noises = noises_in(options.noise) if options.noise else None
    folder = load_run(options.run_folder)
    run = folder.run
    if run.data is None:
        raise UsageError(f"{options.run_folder}: the run is untrained (made by init or "
                         "import-weights); there is nothing to evaluate")
    data = options.data or Path(run.data.root)
    collection = read(data, run.spec.image_size, run.split_seed)
    result = evaluate(folder, collection, options.split, noises=noises, snr_db=options.snr,
                      fusions=True)
    content = summary(result, options.split) | {
        "snr_db": options.snr, "data": collection.name, "data_digest": collection.digest,
        "synthetic": run.data.synthetic, "model": run.spec.family, "seed": run.training.seed,
        "start": run.training.start, "time_shift": run.training.time_shift,
        "commit": run.commit, "wall_s": run.wall_s}
    condition = options.split + (f" snr {options.snr:g}" if noises else "")
    save_accuracy(folder, result, content, condition)
    if options.json:
        print_result("train evaluate", content)
    else:
        print_accuracy(content, run.data.synthetic)


def print_accuracy(content: dict[str, Any], synthetic: bool) -> None:
    rows = [[column, percent(share), "{:.1f} to {:.1f}".format(
                *(100 * bound for bound in content["interval"][column]))]
            for column, share in content["accuracy"].items() if share is not None]
    mark = ", synthetic people" if synthetic else ""
    print(f"\n{content['pairs']} {content['split']} pairs{mark}")
    print(table(["column", "accuracy (%)", "95 % interval"], rows))
