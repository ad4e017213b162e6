"""Options that several commands share, and what `fit` can be told beyond data, model and epochs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.command import silenced_stderr
from edge_runtime.errors import UsageError

if TYPE_CHECKING:
    from train.run import Training
    from train.spec import Spec


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
    from train.run import Training, load_run
    from train.transfer import check_family, weights_digest

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


def check_positive(options: Namespace, *names: str) -> None:
    """UsageError for an option that is given and not above 0."""
    for name in names:
        value = getattr(options, name)
        if value is not None and value <= 0:
            raise UsageError(f"--{name.replace('_', '-')} expects a number above 0, found {value}")


def _weights(choice: str) -> str | None:
    if choice == "none":
        return None
    return choice if choice == "imagenet" else str(Path(choice).resolve())


def import_keras() -> None:
    """Some seconds, and a screen of notes about graphics cards that are not there."""
    try:
        with silenced_stderr():
            import keras  # noqa: F401
    except ModuleNotFoundError as error:
        raise UsageError(f"expected Keras and what else trains, found no {error.name}; install it "
                         "with 'pip install -e .[train]' in the clone") from None
