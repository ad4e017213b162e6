"""Gates: is this face good enough to be judged? Each flaw has a word and a sentence.

Refused in % of real faces that all are usable, and of degraded copies of some of them; and what a
network trained on kiosk95 (mobilevit_xxs_edge, 128 pixels) makes of such copies of 291 test faces:

                                       kiosk95   wild95   people30   accuracy
    as they are (1925, 6516, 400)         0.0      0.6        0.0     99.7
    blurred, sigma 1 / 2 % of the side   25, 100   3, 96     2, 96    92.8, 35.1
    moved by 5 / 10 % of the side        67, 100  19, 100   17, 97
    half / a quarter of the light        31, 100  32, 100   17, 100   83.2, 14.8
    two / three times the light          53, 91   72, 96    93, 100   74.6, 27.5
    half / a quarter of the contrast     12, 83   29, 95    15, 100   91.1, 22.7
    64 / 48 / 32 pixels                                               98.3, 94.8, 68.7

Of 100 drawn heads at the picture's edge, a tenth of them beyond it, the Haar cascade finds 28
(left), 99 (top) and 34 (bottom); of these, MAX_OVERHANG refuses most at the side and at the top,
and few at the bottom.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from edge_runtime.signals.detection import Box, Picture, face_crop, face_square
from edge_runtime.signals.face import square_face

FaceReason = Literal["no_face", "several_faces", "face_too_small", "face_cut_off", "face_blurred",
                     "face_too_dark", "face_too_bright", "face_low_contrast"]
VoiceReason = Literal["too_little_speech", "voice_too_quiet", "voice_clipped", "voice_noisy",
                      "some_noise"]

MIN_SIDE = 64  # pixels of the crop, half of the networks' input
MAX_OVERHANG = 0.05  # sides of the crop: the detector's box is near the picture's edge
MIN_SHARPNESS = 0.36  # see `sharpness`
MIN_LIGHT = 75  # of 255, the brightest twentieth of the face
MAX_WHITE = 0.3  # share of the face that is white
MIN_CONTRAST = 45  # of 255, between the darkest and the brightest twentieth
WHITE = 250  # of 255
JUDGED = 96  # pixels: faces are compared at one size
REACH = 9  # pixels over which they are blurred to see what that changes

Grey = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Flaw:
    """Something that is wrong with a face or a clip: a word for programs, a sentence for people.

    refuses: False where it is only worth saying.
    """

    reason: FaceReason | VoiceReason
    message: str
    refuses: bool = True


def refusals(flaws: Iterable[Flaw]) -> tuple[Flaw, ...]:
    """Those for which a face or a clip should not be used."""
    return tuple(flaw for flaw in flaws if flaw.refuses)


def may_contradict(flaws: Iterable[Flaw]) -> bool:
    """Whether a face may speak against whom a voice names, and the other way round: nothing is
    wrong with it. What is doubtful only speaks for people."""
    return all(flaw.reason == "several_faces" for flaw in flaws)


def face_quality(picture: Picture, box: Box | None = None) -> tuple[Flaw, ...]:
    """What is wrong with the face in `box`, or with a picture that is a crop of a face itself.

    picture: RGB, uint8 [height, width, 3]. No flaw: an empty tuple.
    """
    if box is None:
        return _size(min(picture.shape[:2])) + crop_quality(picture)
    square = face_square(box)
    cut_off: tuple[Flaw, ...] = ()
    if square.overhang(picture) > MAX_OVERHANG:
        cut_off = (Flaw("face_cut_off", "the face is cut off by the picture's edge; move to its "
                                        "middle"),)
    return _size(square.side) + cut_off + crop_quality(face_crop(picture, box))


def usable_face(
    picture: Picture, boxes: Sequence[Box]
) -> tuple[Box | None, tuple[Flaw, ...]]:
    """The largest of the faces found on a picture, None if it is not good enough; and its flaws.

    boxes: largest first, as detectors give them.
    """
    if not boxes:
        return None, (Flaw("no_face", "no face was found; look into the camera, with light on the "
                                      "face"),)
    flaws = face_quality(picture, boxes[0])
    if len(boxes) > 1:
        flaws += (Flaw("several_faces", f"{len(boxes)} faces were found, the largest is taken",
                       refuses=False),)
    return (None if refusals(flaws) else boxes[0]), flaws


def _size(side: int) -> tuple[Flaw, ...]:
    if side >= MIN_SIDE:
        return ()
    return (Flaw("face_too_small", f"the face is {side} pixels wide with its margin, at least "
                                   f"{MIN_SIDE} are needed; come closer"),)


def crop_quality(crop: Picture) -> tuple[Flaw, ...]:
    """Sharpness and light of a crop, RGB, uint8 [height, width, 3]."""
    grey = _grey(square_face(crop, JUDGED))
    flaws = _light(grey)
    if sharpness(grey) < MIN_SHARPNESS:
        flaws += (Flaw("face_blurred", "the face is blurred; hold still, and wipe the lens"),)
    return flaws


def _grey(face: Picture) -> Grey:
    return face.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def _light(grey: Grey) -> tuple[Flaw, ...]:
    side = grey.shape[0]
    middle = grey[side // 4 : -side // 4, side // 4 : -side // 4]  # the face without what is behind
    ordered = np.sort(middle, axis=None)  # a first np.percentile takes 12 ms
    dark, bright = ordered[[ordered.size // 20, -1 - ordered.size // 20]]
    if bright < MIN_LIGHT:
        return (Flaw("face_too_dark", "the face is too dark; turn on a light"),)
    if np.mean(middle >= WHITE) > MAX_WHITE:
        return (Flaw("face_too_bright", "the face is too bright; turn away from the light"),)
    if bright - dark < MIN_CONTRAST:
        return (Flaw("face_low_contrast", "the face has too little contrast; wipe the lens, or "
                                          "change the light"),)
    return ()


def sharpness(grey: Grey) -> float:
    """How much of a picture's change from pixel to pixel goes when it is blurred, 0 to 1, in the
    direction in which that is least; float32 [height, width].

    A blurred picture has little to lose. Contrast and brightness do not count. After Crété-Roffet
    et al., The blur effect: perception and estimation with a new no-reference perceptual blur
    metric, SPIE 6492, 2007.
    """
    def lost(rows: Grey) -> float:
        change = np.abs(np.diff(rows, axis=0))
        left = np.abs(np.diff(_blurred(rows), axis=0))
        return float(np.maximum(change - left, 0).sum() / (change.sum() + 1))

    return min(lost(grey), lost(grey.T))


def _blurred(rows: Grey) -> Grey:
    """The mean over REACH rows; float32 [height, width]."""
    half = REACH // 2
    padded = np.pad(rows, ((half + 1, half), (0, 0)), "reflect")
    total = np.cumsum(padded, axis=0, dtype=np.float64)
    return np.asarray((total[REACH:] - total[:-REACH]) / REACH, np.float32)
