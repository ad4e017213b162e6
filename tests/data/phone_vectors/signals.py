"""Crops of a picture, windows of a sound, and what is wrong with them."""

from __future__ import annotations

import numpy as np

from edge_runtime.signals.detection import DOWN, SIDE, Box, cut, face_square
from edge_runtime.signals.face import square_face
from edge_runtime.signals.face_quality import crop_quality, sharpness
from edge_runtime.signals.voice import SAMPLE_RATE, centred, speech_window
from edge_runtime.signals.voice_quality import is_clipped, snr_db
from tests.data.phone_vectors.arrays import Array, Case, digest, encoded
from train.synthetic import face_picture
from train.synthetic.faces import Identity
from train.synthetic.voices import Speaker, speak


def drawn_picture() -> Array:
    rng = np.random.default_rng(3)
    return face_picture(Identity.draw(rng), rng, 112)[:96]


def spoken() -> Array:
    rng = np.random.default_rng(4)
    speech = speak(Speaker.draw(rng), rng)
    quiet = 0.004 * rng.standard_normal(SAMPLE_RATE)
    sound = np.concatenate([quiet, speech, quiet])[: 4 * SAMPLE_RATE]
    return np.clip(np.rint(128 * sound), -127, 127).astype(np.int8)


def crop_cases(picture: Array) -> Case:
    cases = []
    for box, size in ((Box(20, 12, 61, 70), 48), (Box(-9, 40, 60, 60), 32),
                      (Box(30, 20, 25, 25), 64), (Box(70, 50, 55, 40), 64),
                      (Box(31, 22, 35, 36), 41), (Box(5, 5, 80, 80), 96)):
        square = face_square(box)
        crop = cut(picture, square)
        face = square_face(crop, 96).astype(np.float32) @ np.array([0.299, 0.587, 0.114],
                                                                   np.float32)
        cases.append({
            "box": {"left": box.left, "top": box.top, "width": box.width, "height": box.height},
            "square": {"left": square.left, "top": square.top, "side": square.side},
            "overhang": square.overhang(picture), "size": size,
            "face": digest(square_face(crop, size)), "sharpness": sharpness(face),
            "flaws": {str(light): [flaw.reason for flaw in crop_quality(_lit(crop, light))]
                      for light in (0.15, 1.0, 9.0)}})
    whole = {str(size): digest(square_face(picture, size)) for size in (64, 96, 128)}
    return {"picture": {"height": 96, "width": 112, "rgb": encoded(picture)},
            "margin": {"side": SIDE, "down": DOWN}, "cases": cases, "whole": whole}


def _lit(picture: Array, light: float) -> Array:
    return np.clip(np.floor(picture * light), 0, 255).astype(np.uint8)


def sound_cases(steps: Array) -> Case:
    heard = steps.astype(np.float32) / np.float32(128)
    cases = []
    for begin, end, length, gain, offset in (
            (0, 64_000, 41_312, 1.0, 0.0), (0, 64_000, 16_000, 1.0, 0.0),
            (777, 50_001, 9_999, 0.5, 0.0), (8_000, 20_000, 41_312, 1.0, 0.0),
            (30_000, 30_100, 480, 1.0, 0.0), (0, 12_000, 6_000, 0.01, 0.0),
            (0, 64_000, 32_000, 8.0, 0.0), (0, 64_000, 32_000, 0.25, 0.5),
            (0, 12_000, 6_000, 0.01, -0.125)):
        part = centred(np.clip(heard[begin:end] * np.float32(gain) + np.float32(offset), -1, 1))
        window = speech_window(part, length)
        cases.append({"begin": begin, "end": end, "length": length, "gain": gain,
                      "offset": offset, "window": digest(window), "clipped": is_clipped(part),
                      "snr": snr_db(part)})
    return {"samples": encoded(steps), "cases": cases}
