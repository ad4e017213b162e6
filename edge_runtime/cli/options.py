"""Arguments that several commands take."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.detect import DETECTORS
from edge_runtime.manifest import Manifest

if TYPE_CHECKING:  # who has no gallery needs no package cryptography
    from edge_runtime.gallery.store import Gallery, Mode


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
    options: Namespace, manifest: Manifest, mode: Mode = "read"
) -> AbstractContextManager[Gallery | None]:
    """The gallery that was named, or None."""
    if options.gallery is None:
        return nullcontext()
    from edge_runtime.gallery.store import Gallery

    return Gallery.open(options.gallery, manifest, options.key, mode=mode)


def _add_key(parser: ArgumentParser) -> None:
    parser.add_argument("--key", type=Path, metavar="FILE",
                        help="the device key, of mode 0600 (default: $VISAVOX_DEVICE_KEY, or "
                             "~/.config/visavox/device.key)")


def add_samples(parser: ArgumentParser) -> None:
    """--face and --voice, of several files each."""
    parser.add_argument("--face", type=Path, nargs="+", default=[], metavar="FILE",
                        help="crops of the face, at most 20")
    parser.add_argument("--voice", type=Path, nargs="+", default=[], metavar="FILE",
                        help="clips of speech, at most 20")


def add_json(parser: ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_bundle(parser: ArgumentParser) -> None:
    """--bundle, --json and --allow-uncertified."""
    parser.add_argument("--bundle", type=Path, required=True, metavar="FOLDER")
    add_json(parser)
    parser.add_argument("--allow-uncertified", action="store_true",
                        help="use a bundle that did not pass its checks")


def add_detector(parser: ArgumentParser) -> None:
    """--detector and --yunet-model."""
    parser.add_argument("--detector", default="haar", choices=DETECTORS,
                        help="what finds faces on a picture (haar)")
    parser.add_argument("--yunet-model", type=Path, metavar="FILE",
                        help="face_detection_yunet_2023mar.onnx, for --detector yunet")
