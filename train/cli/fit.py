"""`python -m train fit`: a pair of networks, trained."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from edge_runtime.command import Commands
from edge_runtime.errors import UsageError
from train.cli.evaluate import print_accuracy
from train.cli.options import add_model, import_keras
from train.cli.reading import read, say_noise
from train.cli.training_options import add_loss, add_start, add_training, training_of
from train.jobs import share_cores


def add(commands: Commands) -> None:
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
    from train.evaluate import evaluate, save_accuracy, summary
    from train.fit import fit, is_synthetic
    from train.leave_out import choose_people, without_people
    from train.machine import Machine
    from train.run import load_run
    from train.spec import Spec, make_spec

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
