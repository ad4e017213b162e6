"""Faces from files: crops are taken, whole photographs are refused with what to do.

Smaller pictures are not looked at: `visavox crop` gives and collections hold them, cameras do not.
The limits were set on crops of kiosk95, people30 and wild95 enlarged three times, so that they are
looked at (none was refused), and on drawn rooms of 640 x 480 (all were).
"""

from __future__ import annotations

import functools
import threading
from pathlib import Path
from typing import BinaryIO

import numpy as np

from edge_runtime.crop import Picture
from edge_runtime.detect import Detector, HaarDetector
from edge_runtime.errors import InputError, UsageError
from edge_runtime.face import decode_picture, read_picture

LEAST_SIDE = 240  # pixels of a picture that is looked at, as high as the smallest camera's
_CROP_SHARE = 0.4  # of the shorter side: a crop's face fills more (0.8 where we cut it)
_SURE = 5.5  # the cascade's score; what it finds by mistake on crops has less
_MARGIN = 0.25  # sides: close crops show a detector too little around the face
_CAMERA_ASPECT, _CAMERA_PIXELS = 1.25, 2_000_000  # 5:4; upright pictures only if they are large
_one_at_a_time = threading.Lock()  # a cascade is not for several threads


def read_face(path: Path) -> Picture:
    """A crop of a face, as `read_picture`. InputError where it is a whole photograph, too."""
    return _checked(read_picture(path), str(path))


def decode_face(file: BinaryIO, name: str) -> Picture:
    """The same of an open file; `name` is what messages call it."""
    return _checked(decode_picture(file, name), name)


def _checked(picture: Picture, name: str) -> Picture:
    why = photograph(picture)
    if why:
        raise InputError(f"{name}: expected a crop of a face, found a whole photograph ({why}); "
                         "give it as --picture, or cut the face out with 'visavox crop'")
    return picture


def photograph(picture: Picture) -> str | None:
    """Why RGB, uint8 [height, width, 3], is a whole photograph and no crop of a face.

    The face is looked for where there is OpenCV. Where none is found, the shape decides: cameras
    give wide pictures, or large ones, and faces are not wide.
    """
    height, width = picture.shape[:2]
    shorter = min(height, width)
    if shorter < LEAST_SIDE:
        return None
    detector = _detector()
    if detector is not None:
        edge = round(_MARGIN * shorter)
        with _one_at_a_time:
            boxes = detector.detect(np.pad(picture, ((edge, edge), (edge, edge), (0, 0)), "edge"))
        share = boxes[0].width / shorter if boxes else 0.0
        if share >= _CROP_SHARE:
            return None
        if boxes and (boxes[0].score or 0) >= _SURE:
            return f"the face fills {100 * share:.0f} % of its shorter side"
    wide = width / height
    if wide >= _CAMERA_ASPECT or (1 / wide >= _CAMERA_ASPECT and height * width > _CAMERA_PIXELS):
        return f"it has a camera's shape, {width}x{height}"
    return None


@functools.cache
def _detector() -> Detector | None:
    try:
        return HaarDetector()
    except UsageError:
        return None
