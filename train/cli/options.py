"""Arguments that several commands take, and the people they name: from a folder or a pack, with
progress and one report of what is unusable.
"""

from __future__ import annotations

import functools
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.console.output import say_problems, silenced_stderr, with_progress
from edge_runtime.dataset.collection import Collection
from edge_runtime.dataset.passed_over import described, is_text, sorted_out
from edge_runtime.errors import PeopleError, UsageError

if TYPE_CHECKING:
    from train.models.build import Spec
    from train.runs.folder import Training

DEFAULT_MODEL = "mobilevit_xxs_edge"


def add_model(parser: ArgumentParser) -> None:
    parser.add_argument("--model", default=DEFAULT_MODEL, help=f"model family ({DEFAULT_MODEL})")
    parser.add_argument("--image-size", type=int, default=128, metavar="S",
                        help="sides of the face (128)")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="run folder")


def add_untrained(parser: ArgumentParser) -> None:
    parser.add_argument("--people", type=int, default=95, metavar="N", help="outputs (95)")
    parser.add_argument("--seed", type=int, default=0)
    add_model(parser)


def anybody(count: int) -> tuple[str, ...]:
    """Names for the outputs of an untrained run."""
    return tuple(f"person_{i:03}" for i in range(1, count + 1))


def check_positive(options: Namespace, *names: str) -> None:
    """UsageError for an option that is given and not above 0."""
    for name in names:
        value = getattr(options, name)
        if value is not None and value <= 0:
            raise UsageError(f"--{name.replace('_', '-')} expects a number above 0, found {value}")


def import_keras() -> None:
    """Some seconds, and a screen of notes about graphics cards that are not there."""
    try:
        with silenced_stderr():
            import keras  # noqa: F401
    except ModuleNotFoundError as error:
        raise UsageError(f"expected Keras and what else trains, found no {error.name}; install it "
                         "with 'pip install -e .[train]' in the clone") from None


PRECISIONS = ("float32", "bfloat16", "float16")  # of train.runs.folder, which imports Keras


def add_training(parser: ArgumentParser) -> None:
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


def add_start(parser: ArgumentParser) -> None:
    parser.add_argument("--init-from", type=Path, metavar="RUN",
                        help="start from the weights of a run of the same model, on other people")
    parser.add_argument("--weights", default="none", metavar="imagenet|FILE|none",
                        help="vgg16: train the dense head alone, on ImageNet's convolutions (none)")
    parser.add_argument("--no-time-shift", action="store_true",
                        help="train without moving clips in time")


def add_loss(parser: ArgumentParser) -> None:
    parser.add_argument("--loss", default="softmax", choices=("softmax", "cosface"),
                        help="cosface makes embeddings for people enrolled later (softmax)")
    parser.add_argument("--cosface-scale", type=float, default=30.0, help="of the cosines (30)")
    parser.add_argument("--cosface-margin", type=float, default=0.35,
                        help="lead that the right person's cosine needs (0.35)")
    parser.add_argument("--leave-out-people", metavar="N|FILE",
                        help="keep N people, or those named in a file, for later enrolment")
    parser.add_argument("--rotation", type=int, default=0, metavar="K",
                        help="of --leave-out-people N: keep the K-th N instead, from 0 (0)")


def training_of(options: Namespace, spec: Spec) -> Training:
    """The checked options of a training. UsageError or RunError names the one to correct."""
    from train.models.registry import family_of
    from train.pretrained.transfer import check_family, weights_digest
    from train.runs.folder import Training, load_run

    check_positive(options, "epochs", "voice_epochs", "patience", "batch_size", "learning_rate",
                   "cosface_margin", "devices", "workers", "jobs")
    if options.voice_epochs and "voice" not in spec.parts:
        raise UsageError(f"{spec.family} has one network for both; leave out --voice-epochs")
    source = load_run(options.init_from) if options.init_from else None
    if source:
        check_family(source, spec)
    weights = _weights(options.weights)
    if source and weights:
        raise UsageError("--init-from and --weights both say what to start from; leave out one")
    return Training(
        epochs=options.epochs, voice_epochs=options.voice_epochs, patience=options.patience,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate or family_of(spec.family).learning_rate,
        seed=options.seed, noise=str(options.noise.resolve()) if options.noise else None,
        time_shift=not options.no_time_shift, precision=options.precision,
        cosface_margin=options.cosface_margin,
        weights=weights, init_from=str(source.path.resolve()) if source else None,
        init_digest=weights_digest(source) if source else None)


def _weights(choice: str) -> str | None:
    if choice == "none":
        return None
    return choice if choice == "imagenet" else str(Path(choice).resolve())


def read(data: Path, image_size: int, seed: int, strict: bool = False) -> Collection:
    from train.data import read_data

    collection = read_data(data, image_size, seed,
                           progress=functools.partial(with_progress, doing="reading"))
    say_problems(collection.problems)
    if strict and collection.problems:
        raise PeopleError(f"{data}: --strict expects data without a problem, found "
                          f"{len(collection.problems)}; mend them, or leave out --strict")
    return collection


def say_noise(folder: Path | None) -> None:
    """What is no noise in a folder of it."""
    if folder is not None and folder.is_dir() and not (folder / "pack.json").is_file():
        _, passed = sorted_out(folder, folder, "voice")
        say_problems(described(one for one in passed if not is_text(folder / one.path)))
