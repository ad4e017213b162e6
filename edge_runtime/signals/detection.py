"""Where the faces are on a whole picture, by OpenCV's Haar cascade, or YuNet with a model file; and
from such a box to a square crop of the face, as the networks are trained on.

Haar: Viola and Jones, Rapid object detection using a boosted cascade of simple features, CVPR 2001.
YuNet: Wu, Peng and Yu, YuNet: a tiny millisecond-level face detector, 2023; its model file is not
shipped (OpenCV's model zoo calls it face_detection_yunet_2023mar.onnx).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edge_runtime.console.output import silenced_stderr
from edge_runtime.errors import InputError, UsageError

Picture = npt.NDArray[np.uint8]
DETECTORS = ("haar", "yunet")
MAX_WIDTH, MAX_HEIGHT = 320, 640  # pixels of the picture that is searched
SMALLEST = 24  # pixels on it: the size of the cascade's own window
_MAX_OVERLAP = 0.1  # of two boxes, in shares of what both cover


@dataclass(frozen=True)
class Box:
    """A face, in the picture's own pixels; it may reach over the picture's edge.

    score: the detector's own, higher for what looks more like a face.
    """

    left: int
    top: int
    width: int
    height: int
    score: float | None = None


class Detector(Protocol):
    """Finds faces on RGB pictures, uint8 [height, width, 3]; boxes come largest first."""

    def detect(self, picture: Picture) -> tuple[Box, ...]: ...


def make_detector(name: str = "haar", yunet_model: Path | None = None) -> Detector:
    """The detector of that name. UsageError for arguments that do not go together, or without
    OpenCV; InputError for a model file that is not usable."""
    if name not in DETECTORS:
        raise UsageError(f"expected a detector of {', '.join(DETECTORS)}, found '{name}'")
    if (name == "yunet") != (yunet_model is not None):
        raise UsageError("the detector yunet and --yunet-model FILE go together; the file is "
                         "face_detection_yunet_2023mar.onnx of OpenCV's model zoo")
    return HaarDetector() if yunet_model is None else YuNetDetector(yunet_model)


class HaarDetector:
    """OpenCV's frontal face cascade, which comes with it.

    Of 260 drawn scenes it found the face on 99 %, and a false one in 1 of 150 empty rooms; of real
    crops with plain surroundings 95 % (kiosk95, where light comes from the side), 93 % (wild95) and
    100 % (people30). 13 ms on an idle x86 core. Steps of 1.05 find all scenes' faces in three times
    the time; an equalised histogram loses 9 faces in 100.
    """

    def __init__(self) -> None:
        self._cv2 = opencv()
        if not (hasattr(self._cv2, "CascadeClassifier") and hasattr(self._cv2, "data")):
            raise UsageError("expected opencv-python 4 with its Haar cascades, found OpenCV "
                             f"{self._cv2.__version__} without; pip install 'visavox[capture]', or "
                             "take --detector yunet")
        file = Path(self._cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"
        self._cascade = self._cv2.CascadeClassifier(str(file))

    def detect(self, picture: Picture) -> tuple[Box, ...]:
        small = _reduced(self._cv2, picture)
        grey = self._cv2.cvtColor(small, self._cv2.COLOR_RGB2GRAY)
        boxes, _, scores = self._cascade.detectMultiScale3(
            grey, scaleFactor=1.1, minNeighbors=3, minSize=(SMALLEST, SMALLEST),
            outputRejectLevels=True)
        return _boxes(self._best(boxes, np.ravel(scores)), picture, small)

    def _best(self, boxes: Any, scores: Any) -> list[tuple[float, ...]]:
        """One face gives several boxes of different sizes: the best of those that overlap."""
        if len(boxes) == 0:
            return []
        # Only their order counts here, and OpenCV takes none below 0.
        kept = self._cv2.dnn.NMSBoxes(boxes, scores - scores.min() + 1, 0.0, _MAX_OVERLAP)
        return [(*boxes[i], scores[i]) for i in kept]


class YuNetDetector:
    """YuNet from an ONNX file. InputError where OpenCV cannot make a face detector of the file.

    Tested on a drawn network of the same form. Not measured with the published weights, whose
    boxes are cropped with the margin that was measured for the Haar cascade's.
    """

    def __init__(self, model: Path) -> None:
        self._cv2 = opencv()
        if not model.is_file():
            raise InputError(f"{model}: no such model file")
        with silenced_stderr():  # OpenCV's log of what it does not like
            try:
                self._network = self._cv2.FaceDetectorYN.create(str(model), "", (32, 32))
                self._network.detect(np.zeros((32, 32, 3), np.uint8))
            except self._cv2.error:
                self._network = None
        if self._network is None:
            raise InputError(f"{model}: expected a YuNet model (face_detection_yunet_2023mar.onnx),"
                             " found none that OpenCV runs; fetch it again from its model zoo")

    def detect(self, picture: Picture) -> tuple[Box, ...]:
        small = _reduced(self._cv2, picture)
        self._network.setInputSize((small.shape[1], small.shape[0]))
        _, faces = self._network.detect(self._cv2.cvtColor(small, self._cv2.COLOR_RGB2BGR))
        rows = [] if faces is None else [(*face[:4], face[-1]) for face in faces.tolist()]
        return _boxes(rows, picture, small)


def _reduced(cv2: Any, picture: Picture) -> Picture:
    """At most MAX_WIDTH x MAX_HEIGHT pixels of it; smaller pictures stay as they are."""
    height, width = picture.shape[:2]
    scale = min(MAX_WIDTH / width, MAX_HEIGHT / height)
    if scale >= 1:
        return np.ascontiguousarray(picture)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    reduced: Picture = cv2.resize(np.ascontiguousarray(picture), size,
                                  interpolation=cv2.INTER_AREA)
    return reduced


def _boxes(rows: list[tuple[float, ...]], picture: Picture, small: Picture) -> tuple[Box, ...]:
    """Rows of x, y, width, height and score on the reduced picture -> boxes on the whole one."""
    down, across = (picture.shape[i] / small.shape[i] for i in (0, 1))
    boxes = [Box(round(x * across), round(y * down), max(1, round(width * across)),
                 max(1, round(height * down)), float(score))
             for x, y, width, height, score in rows]
    return tuple(sorted(boxes, key=lambda box: -box.width * box.height))


# A crop's side, and how far its middle lies below the box's, in sides of the detector's box. With
# these, crops of 160 drawn scenes match drawn crops best: the Haar cascade's overlap
# with them by 85 % of what both cover (80 and 81 % with sides of 1.1 and 1.3; 83 % on 100 others).
# Public collections are cropped closer (0.77 of the box's side in kiosk95, 0.85 in wild95), or not
# (1.03 in people30): who trains on whole pictures should crop them by this code.
SIDE, DOWN = 1.2, -0.04


@dataclass(frozen=True)
class Square:
    """A square on a picture, in its pixels; it may reach over the picture's edge."""

    left: int
    top: int
    side: int

    def overhang(self, picture: Picture) -> float:
        """How far the square reaches over the edge where it does most, in sides of the square."""
        height, width = picture.shape[:2]
        over = max(-self.left, -self.top, self.left + self.side - width,
                   self.top + self.side - height, 0)
        return float(over / self.side)


def face_square(box: Box) -> Square:
    """The square to crop: the box's longer side with its margin."""
    longer = max(box.width, box.height)
    side = max(1, round(SIDE * longer))
    across = box.left + box.width / 2
    down = box.top + box.height / 2 + DOWN * longer
    return Square(round(across - side / 2), round(down - side / 2), side)


def cut(picture: Picture, square: Square) -> Picture:
    """RGB, uint8 [height, width, 3] -> uint8 [side, side, 3]. What lies outside of the picture is
    the nearest pixel at its edge, as in training."""
    height, width = picture.shape[:2]
    rows = np.clip(np.arange(square.top, square.top + square.side), 0, height - 1)
    columns = np.clip(np.arange(square.left, square.left + square.side), 0, width - 1)
    return picture[rows[:, np.newaxis], columns]



def face_crop(picture: Picture, box: Box) -> Picture:
    """The square crop of a detected face, uint8 [side, side, 3], as large as it is there."""
    return cut(picture, face_square(box))


def opencv() -> Any:
    """The module cv2, which says nothing on the screen. UsageError says how to install it where it
    is missing or does not load."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3")  # seconds, of a read
    try:
        import cv2
    except ModuleNotFoundError:
        raise UsageError("expected OpenCV, for cameras and faces on pictures, found none; "
                         "pip install 'visavox[capture]'") from None
    except ImportError as error:  # libGL, where there is no screen
        reason = " ".join(str(error).split())
        raise UsageError(f"OpenCV does not load ({reason}); on a machine without a screen, pip "
                         "uninstall opencv-python, then pip install 'opencv-python-headless<5'"
                         ) from None
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2
