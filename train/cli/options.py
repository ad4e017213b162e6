"""What several commands share."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from edge_runtime.errors import UsageError
from edge_runtime.output import silenced_stderr

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
