"""Arguments that several commands take."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from edge_runtime.detect import DETECTORS


def add_bundle(parser: ArgumentParser) -> None:
    """--bundle, --json and --allow-uncertified."""
    parser.add_argument("--bundle", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--allow-uncertified", action="store_true",
                        help="use a bundle that did not pass its checks")


def add_detector(parser: ArgumentParser) -> None:
    """--detector and --yunet-model."""
    parser.add_argument("--detector", default="haar", choices=DETECTORS,
                        help="what finds faces on a picture (haar)")
    parser.add_argument("--yunet-model", type=Path, metavar="FILE",
                        help="face_detection_yunet_2023mar.onnx, for --detector yunet")
