"""`python -m train`: synthetic people, data packed for another machine, training, evaluation."""

from __future__ import annotations

import functools
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from edge_runtime.collection import Collection, problem_report
from edge_runtime.command import Commands, percent, table
from edge_runtime.errors import UsageError
from edge_runtime.people import Sample, Split
from edge_runtime.result_file import print_result
from train.options import add_loss, add_start, import_keras, training_of
from train.sweep.command import add_sweep

DEFAULT_MODEL = "mobilevit_xxs_edge"
PRECISIONS = ("float32", "bfloat16", "float16")  # train.precision's, whose Keras imports slowly


def main() -> int:
    commands = Commands("python -m train", "Train networks that identify people.")
    _add_synth(commands)
    _add_pack(commands)
    fit = commands.add("fit", _fit, "train a pair of networks on a folder of people")
    fit.add_argument("--data", type=Path, required=True, help="folder of people, or a pack")
    fit.add_argument("--towers", type=Path, metavar="RUN",
                     help="trained pair that a fusion of frozen networks joins")
    _add_model(fit)
    _add_training(fit)
    add_start(fit)
    add_loss(fit)
    init = commands.add("init", _init, "make an untrained run, for latency only")
    init.add_argument("--people", type=int, default=95, metavar="N", help="outputs (95)")
    init.add_argument("--seed", type=int, default=0)
    _add_model(init)
    weights = commands.add("import-weights", _import_weights,
                           "make an untrained run from a MobileViT checkpoint, to start fit from")
    weights.add_argument("checkpoint", type=Path, metavar="FILE",
                         help="timm's or ml-cvnets' mobilevit, .safetensors or .pt")
    weights.add_argument("--people", type=int, default=95, metavar="N", help="outputs (95)")
    weights.add_argument("--seed", type=int, default=0)
    _add_model(weights)
    evaluate = commands.add("evaluate", _evaluate, "measure a run's accuracy on test pairs")
    evaluate.add_argument("run_folder", type=Path, metavar="RUN")
    evaluate.add_argument("--data", type=Path,
                          help="folder of people, or a pack (that of the training)")
    evaluate.add_argument("--split", default="test", choices=get_args(Split))
    evaluate.add_argument("--noise", type=Path, metavar="DIR",
                          help="sound files of noise to add, or a pack")
    evaluate.add_argument("--snr", type=float, metavar="DB", help="speech over noise, with --noise")
    evaluate.add_argument("--json", action="store_true", help="print one JSON object")
    add_sweep(commands)
    return commands.main()


def _add_synth(commands: Commands) -> None:
    synth = commands.add("synth", _synth, "draw and synthesise people, to try everything without "
                                          "data")
    synth.add_argument("--people", type=int, required=True, metavar="N")
    synth.add_argument("--out", type=Path, required=True, help="a new folder")
    synth.add_argument("--seed", type=int, default=0)
    synth.add_argument("--faces", type=int, default=24, metavar="N", help="per person (24)")
    synth.add_argument("--clips", type=int, default=12, metavar="N", help="per person (12)")
    synth.add_argument("--scenes", action="store_true", help="whole pictures of 640x480 too")
    synth.add_argument("--film", type=Path, metavar="FOLDER",
                       help="also scene.mp4 and scene.wav there: some of them before a camera")
    synth.add_argument("--in-film", type=int, nargs="+", default=[1, 2, 3], metavar="N",
                       help="who comes, one after the other, by number (1 2 3)")


def _add_pack(commands: Commands) -> None:
    pack = commands.add("pack", _pack, "decode a folder of people into few files, for a training "
                                       "machine without picture and sound libraries")
    pack.add_argument("--data", type=Path, required=True, help="folder of people")
    pack.add_argument("--image-size", type=int, default=128, metavar="S",
                      help="the one to train with (128)")
    pack.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    pack.add_argument("--noise", type=Path, metavar="DIR", help="sound files of noise to pack too")
    pack.add_argument("--seed", type=int, default=0,
                      help="draws the split, as far as split.csv does not give it (0)")
    pack.add_argument("--strict", action="store_true", help="refuse data with any problem")


def _add_model(parser: ArgumentParser) -> None:
    parser.add_argument("--model", default=DEFAULT_MODEL, help=f"model family ({DEFAULT_MODEL})")
    parser.add_argument("--image-size", type=int, default=128, metavar="S",
                        help="sides of the face (128)")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="run folder")


def _add_training(parser: ArgumentParser) -> None:
    parser.add_argument("--epochs", type=int, default=80, help="at most (80)")
    parser.add_argument("--voice-epochs", type=int, metavar="EPOCHS",
                        help="of a pair's voice network, which learns more slowly (as --epochs)")
    parser.add_argument("--patience", type=int, default=25, metavar="EPOCHS",
                        help="stop after so many epochs without a better validation loss (25)")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, help="at its peak (the model's own)")
    parser.add_argument("--precision", default="float32", choices=PRECISIONS,
                        help="what the networks compute in while they train (float32)")
    parser.add_argument("--devices", type=int, default=1, metavar="N",
                        help="GPUs that share each batch, on the JAX backend (1)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N",
                        help="networks at a time, each with its share of a processor's cores (1)")
    parser.add_argument("--workers", type=int, default=2, metavar="N",
                        help="threads that prepare batches (2)")
    parser.add_argument("--noise", type=Path, metavar="DIR",
                        help="sound files of noise to train with, beside made noise; or a pack")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--strict", action="store_true", help="refuse data with any problem")
    parser.add_argument("--resume", action="store_true", help="go on with a run that was stopped")


def _synth(options: Namespace) -> None:
    from train.synthetic import make_people

    make_people(options.out, options.people, seed=options.seed, faces_per_person=options.faces,
                clips_per_person=options.clips, scenes=options.scenes)
    print(f"{options.people} synthetic people in {options.out}")
    if options.film:
        from train.synthetic.film import make_film

        make_film(options.film, options.in_film, options.seed)
        print(f"a film of {len(options.in_film)} of them in {options.film}")


def _read(data: Path, image_size: int, seed: int, strict: bool = False) -> Collection:
    from train.pack import read_data

    collection = read_data(data, image_size, seed, strict=strict, progress=_progress)
    if collection.problems:
        print(problem_report(collection.problems), file=sys.stderr, flush=True)
    return collection


def _progress(samples: Iterable[Sample], doing: str = "reading") -> Iterable[Sample]:
    try:
        from tqdm import tqdm
    except ImportError:
        return samples
    bar: Iterable[Sample] = tqdm(samples, desc=doing, unit="file", disable=None, leave=False)
    return bar


def _pack(options: Namespace) -> None:
    import_keras()
    from train.pack import noises_in, write_pack

    if not 32 <= options.image_size <= 1024:
        raise UsageError(f"--image-size expects 32 to 1024, found {options.image_size}")
    noises = noises_in(options.noise) if options.noise else []
    collection = _read(options.data, options.image_size, options.seed, options.strict)
    write_pack(options.out, collection, options.image_size, noises,
               progress=functools.partial(_progress, doing="packing"))
    files = sorted(options.out.iterdir())
    size_mb = sum(file.stat().st_size for file in files) / 1e6
    print(f"{len(collection.people.samples)} files of {len(collection.people.names)} people packed "
          f"in {len(files)} files, {size_mb:.1f} MB: {options.out}")


def _fit(options: Namespace) -> None:
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
    collection = _read(options.data, options.image_size, options.seed, options.strict)
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
        _print_accuracy(summary(result, "test"), is_synthetic(collection))
    print(f"\nrun folder: {options.out}")


def _init(options: Namespace) -> None:
    import_keras()
    from train.fit import init
    from train.spec import make_spec

    init(make_spec(options.model, _anybody(options.people), options.image_size), options.out,
         options.seed)
    print(f"untrained run folder, for latency only: {options.out}")


def _import_weights(options: Namespace) -> None:
    import_keras()
    from train.import_weights import describe, init_from_checkpoint
    from train.spec import make_spec

    spec = make_spec(options.model, _anybody(options.people), options.image_size)
    _, taken = init_from_checkpoint(spec, options.checkpoint, options.out, options.seed)
    print(describe(taken))
    print(f"\nrun folder to start from (python -m train fit --init-from): {options.out}")


def _anybody(count: int) -> tuple[str, ...]:
    return tuple(f"person_{i:03}" for i in range(1, count + 1))


def _evaluate(options: Namespace) -> None:
    import_keras()
    from train.evaluate import evaluate, save_accuracy, summary
    from train.pack import noises_in
    from train.run import load_run

    if (options.noise is None) != (options.snr is None):
        raise UsageError("--noise DIR and --snr DB go together, found one of them")
    noises = noises_in(options.noise) if options.noise else None
    folder = load_run(options.run_folder)
    run = folder.run
    if run.data is None:
        raise UsageError(f"{options.run_folder}: the run is untrained (made by init or "
                         "import-weights); there is nothing to evaluate")
    data = options.data or Path(run.data.root)
    collection = _read(data, run.spec.image_size, run.split_seed)
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
        _print_accuracy(content, run.data.synthetic)


def _print_accuracy(content: dict, synthetic: bool) -> None:
    rows = [[column, percent(share), "{:.1f} to {:.1f}".format(
                *(100 * bound for bound in content["interval"][column]))]
            for column, share in content["accuracy"].items() if share is not None]
    mark = ", synthetic people" if synthetic else ""
    print(f"\n{content['pairs']} {content['split']} pairs{mark}")
    print(table(["column", "accuracy (%)", "95 % interval"], rows))


if __name__ == "__main__":
    sys.exit(main())
