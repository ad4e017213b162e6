"""Arguments that several commands take."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.bundle.manifest import Manifest
from edge_runtime.console.output import because, say_problems
from edge_runtime.console.parser import Parser
from edge_runtime.dataset.passed_over import described, sorted_out
from edge_runtime.errors import InputError, UsageError
from edge_runtime.modalities import Modality
from edge_runtime.signals.detection import DETECTORS, Detector, make_detector

if TYPE_CHECKING:
    from edge_runtime.gallery.store import Gallery, Mode

def given(options: Namespace, option: str) -> bool:
    """Whether an option without a default was given: --tls-key."""
    value = getattr(options, option.removeprefix("--").replace("-", "_"))
    return value is not None and value is not False and value != []


def need(options: Namespace, option: str, *others: str) -> None:
    """UsageError where `option` was given and none of the others, without which it does nothing."""
    if given(options, option) and not any(given(options, other) for other in others):
        raise UsageError(f"{option} does nothing without {' or '.join(others)}: expected both, "
                         f"found {option} alone; add the other, or leave it out")


def add_gallery(parser: ArgumentParser) -> None:
    """--gallery and --key."""
    parser.add_argument("--gallery", type=Path, required=True, metavar="FILE",
                        help="the people enrolled on this device")
    _add_key(parser)


def add_enrolled(
    parser: ArgumentParser,
    purpose: str = "decide among the people enrolled there, not those of the training",
) -> None:
    """--gallery and --key, for commands that do without."""
    parser.add_argument("--gallery", type=Path, metavar="FILE", help=purpose)
    _add_key(parser)


def open_enrolled(
    options: Namespace, manifest: Manifest, mode: Mode = "read", *, force: bool = False
) -> AbstractContextManager[Gallery | None]:
    """The gallery that was named, or None."""
    if options.gallery is None:
        return nullcontext()
    from edge_runtime.gallery.store import Gallery

    return Gallery.open(options.gallery, manifest, options.key, mode=mode, force=force)


def _add_key(parser: ArgumentParser) -> None:
    parser.add_argument("--key", type=Path, metavar="FILE",
                        help="the device key, of mode 0600 (default: $VISAVOX_DEVICE_KEY, or "
                             "~/.config/visavox/device.key)")


def add_samples(parser: ArgumentParser) -> None:
    """--face and --voice, of several files each."""
    parser.add_argument("--face", type=Path, nargs="+", default=[], metavar="FILE",
                        help="crops of the face, at most 20, or a folder of them")
    parser.add_argument("--voice", type=Path, nargs="+", default=[], metavar="FILE",
                        help="clips of speech, at most 20, or a folder of them")


def sample_files(paths: Sequence[Path], modality: Modality) -> list[Path]:
    """The files that were named, with those of the folders; what else lies in these is said."""
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        taken, passed = sorted_out(path, path, modality)
        if not taken:
            raise InputError(f"{path}: expected samples of a {modality} in the folder, found none"
                             f"{because(described(passed))}")
        say_problems(described(passed))
        files += taken
    return files


def add_json(parser: ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_bundle(parser: Parser) -> None:
    """BUNDLE or --bundle, --json and --allow-uncertified."""
    parser.add_bundle(required=True, help="the bundle's folder; named here, it stands before "
                                          "options that take several files")
    add_json(parser)
    parser.add_argument("--allow-uncertified", action="store_true",
                        help="use a bundle that did not pass its checks")


def add_detector(parser: ArgumentParser) -> None:
    """--detector and --yunet-model: see detector_from."""
    parser.add_argument("--detector", choices=DETECTORS,
                        help=f"what finds faces on a picture ({DETECTORS[0]})")
    parser.add_argument("--yunet-model", type=Path, metavar="FILE",
                        help="face_detection_yunet_2023mar.onnx, for --detector yunet")


def detector_from(options: Namespace) -> Detector:
    """The detector that was asked for. Raises as make_detector does."""
    return make_detector(options.detector or DETECTORS[0], options.yunet_model)


def need_pictures(options: Namespace, source: str) -> None:
    """UsageError for a detector without the option that gives it pictures."""
    need(options, "--detector", source)
    need(options, "--yunet-model", source)
