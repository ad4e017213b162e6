"""What `fit` can be told of a training."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.errors import UsageError
from train.cli.options import check_positive

if TYPE_CHECKING:
    from train.run import Training
    from train.spec import Spec


PRECISIONS = ("float32", "bfloat16", "float16")  # train.precision's, whose Keras imports slowly


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


def _weights(choice: str) -> str | None:
    if choice == "none":
        return None
    return choice if choice == "imagenet" else str(Path(choice).resolve())
