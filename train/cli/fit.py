"""`python -m train fit`: a pair of networks, trained; `evaluate`: a run's accuracy."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any, get_args

from edge_runtime.console.output import percent, print_result, table
from edge_runtime.console.parser import Commands
from edge_runtime.dataset.people import Split
from edge_runtime.errors import UsageError
from train.cli.options import (
    add_loss,
    add_model,
    add_start,
    add_training,
    import_keras,
    read,
    say_noise,
    training_of,
)
from train.training.jobs import share_cores


def add_fit(commands: Commands) -> None:
    fit = commands.add("fit", _fit, "train a pair of networks on a folder of people",
                       example="--data people --out run")
    fit.add_argument("--data", type=Path, required=True, help="folder of people, or a pack")
    fit.add_argument("--towers", type=Path, metavar="RUN",
                     help="trained pair that a fusion of frozen networks joins")
    add_model(fit)
    add_training(fit)
    add_start(fit)
    add_loss(fit)


def _fit(options: Namespace) -> None:
    share_cores(options.jobs)  # before a backend makes its threads
    import_keras()
    from train.data import choose_people, without_people
    from train.models.build import Spec, make_spec
    from train.runs.folder import load_run
    from train.scoring.evaluate import evaluate, save_accuracy, summary
    from train.training.fit import fit, is_synthetic
    from train.training.machine import Machine

    def spec_of(names: tuple[str, ...]) -> Spec:
        return make_spec(options.model, names, options.image_size, options.loss,
                         options.cosface_scale)

    if options.rotation and options.leave_out_people is None:
        raise UsageError("--rotation K expects --leave-out-people N, found none")
    training = training_of(options, spec_of(("", "")))  # wrong names are said before reading
    machine = Machine(options.devices, options.workers, options.jobs)
    machine.check(options.batch_size)
    say_noise(options.noise)
    collection = read(options.data, options.image_size, options.seed, options.strict)
    left_out: tuple[str, ...] = ()
    if options.leave_out_people is not None:
        left_out = choose_people(collection.people.names, options.leave_out_people, options.seed,
                                 options.rotation)
        collection = without_people(collection, left_out)
    spec = spec_of(collection.people.names)
    towers = load_run(options.towers) if options.towers else None
    folder = fit(collection, spec, training, options.out, resume=options.resume, towers=towers,
                 left_out=left_out, machine=machine)
    if collection.people.of("face", "test") and collection.people.of("voice", "test"):
        result = evaluate(folder, collection)
        save_accuracy(folder, result, summary(result, "test"), "test")
        print_accuracy(summary(result, "test"), is_synthetic(collection))
    print(f"\nrun folder: {options.out}")


def add_evaluate(commands: Commands) -> None:
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
    from train.data import noises_in
    from train.runs.folder import load_run
    from train.scoring.evaluate import evaluate, save_accuracy, summary

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
