"""Drawn heads: who somebody is (`Identity`), and the drawing of it, feature by feature.

Every feature is a smooth curve in head units (see `scenes`): the top of the skull is y = -1, the
chin y = 1. Skin and hair have wide ranges; clothes, light and background belong to the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from train.synthetic.scenes import Array, Pen, Points, curve, ellipse, mirror, tone

# Style: fullness, where the back ends (y), and the hairline from the ear to the middle or across.
_HAIR: dict[str, tuple[float, float, Points]] = {
    "bald": (0.0, 0.0, []),
    "short": (0.07, 0.0, [(1, -0.1), (0.88, -0.42), (0.6, -0.63), (0, -0.67)]),
    "fringe": (0.12, 0.0, [(1.02, 0.12), (0.88, -0.2), (0.6, -0.39), (0.2, -0.34), (0, -0.38)]),
    "parted": (0.13, 0.0, [(1.02, 0.05), (0.94, -0.4), (0.7, -0.62), (0.42, -0.86), (0.1, -0.66),
                           (-0.5, -0.5), (-0.92, -0.3), (-1.02, 0.05)]),
    "long": (0.15, 1.55, [(1.04, 0.7), (0.97, 0), (0.84, -0.42), (0.4, -0.7), (0, -0.87)]),
    "bob": (0.16, 0.85, [(1.04, 0.5), (0.93, -0.1), (0.7, -0.36), (0, -0.4)]),
    "curly": (0.3, 0.35, [(1.05, 0.1), (0.9, -0.4), (0.5, -0.6), (0, -0.64)]),
    "receding": (0.05, 0.0, [(1, -0.05), (0.95, -0.45), (0.72, -0.8), (0.4, -0.86), (0, -0.72)]),
}  # fmt: skip
# Tables of RGB from light to deep, interpolated by an identity's tone between 0 and 1.
_SKIN = [(246, 218, 200), (229, 186, 155), (205, 156, 120), (168, 119, 84), (112, 75, 53)]
_LOCKS = [(26, 22, 22), (58, 40, 30), (96, 64, 42), (134, 70, 38), (186, 148, 96), (150, 146, 142)]
_IRIS = [(44, 28, 20), (86, 54, 30), (96, 110, 70), (74, 108, 140), (110, 122, 128)]
_FRAMES = [(24, 22, 24), (70, 40, 24), (120, 30, 36), (40, 60, 110), (150, 140, 120)]


def _between(low: float, high: float) -> Any:
    return field(metadata={"draw": lambda rng: float(rng.uniform(low, high))})


def _one_of(*choices: str) -> Any:
    return field(metadata={"draw": lambda rng: choices[rng.integers(len(choices))]})


@dataclass(frozen=True)
class Identity:
    """What stays the same in every picture of a person. Lengths are in head units."""

    width: float = _between(0.63, 0.77)
    jaw: float = _between(0.66, 0.92)
    chin: float = _between(0.24, 0.46)
    forehead: float = _between(0.84, 0.97)
    ear: float = _between(0.10, 0.17)
    eye_y: float = _between(-0.08, 0.06)
    eye_gap: float = _between(0.26, 0.33)
    eye_width: float = _between(0.115, 0.16)
    eye_height: float = _between(0.048, 0.08)
    eye_tilt: float = _between(-0.2, 0.2)
    brow_gap: float = _between(0.14, 0.21)
    brow_thickness: float = _between(0.018, 0.05)
    brow_tilt: float = _between(-0.06, 0.06)
    nose_length: float = _between(0.34, 0.48)
    nose_width: float = _between(0.11, 0.19)
    mouth_gap: float = _between(0.17, 0.25)
    mouth_width: float = _between(0.18, 0.28)
    lips: float = _between(0.035, 0.085)
    melanin: float = _between(0.0, 1.0)
    redness: float = _between(-0.01, 0.09)
    hair_tone: float = _between(0.0, 1.0)
    iris_tone: float = _between(0.0, 1.0)
    frame_tone: float = _between(0.0, 1.0)
    part_side: float = _between(-1.0, 1.0)
    freckles: float = _between(-1.5, 1.0)
    marks_seed: float = _between(0, 2**31)
    hair: str = _one_of(*_HAIR, "short", "parted", "long")
    beard: str = _one_of("none", "none", "none", "none", "stubble", "moustache", "goatee", "full")
    glasses: str = _one_of("none", "none", "none", "none", "round", "square")

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Identity:
        """Draw a person: every measure uniform in its range, every style from its list."""
        return cls(**{entry.name: entry.metadata["draw"](rng) for entry in fields(cls)})


def draw_head(who: Identity, pen: Pen) -> None:
    """Draw shoulders, neck and head of a person with the pen, from the back to the front."""
    outline = _outline(who)
    tint = np.array((1 + who.redness, 1 - who.redness / 2, 1 - who.redness), np.float32)
    skin = tone(_SKIN, who.melanin) * tint
    locks = tone(_LOCKS, who.hair_tone * (1 - 0.75 * who.melanin))
    inner, outer = _hair_edges(who)
    _body(who, pen, skin, locks)
    pen.fill(outer, locks * 0.7 if len(inner) else skin, solid=True)
    for side in (-1.0, 1.0):
        ear = ellipse(side * who.width * 0.99, who.eye_y + 0.14, who.ear * 0.5, who.ear * 1.35)
        pen.fill(ear, skin * 0.9, solid=True)
        pen.fill(ear * (0.99, 1), skin * 0.65, 0.5, 0.03)
    pen.fill(outline, skin, solid=True)
    _marks(who, pen, skin, outline)
    for side in (-1.0, 1.0):
        _eye(who, pen, skin, locks, side)
    _nose(who, pen, skin)
    _beard(who, pen, locks, outline)
    _mouth(who, pen, skin)
    if len(inner):
        cap = np.concatenate([outer, inner])
        pen.fill(cap + np.array((0, 0.03)), locks * 0.3, 0.4, 0.04)
        pen.fill(cap, locks, solid=True, soft=0.008, grain=0.1)
    if who.glasses != "none":
        _glasses(who, pen)


def _outline(who: Identity) -> Array:
    w = who.width
    half = [(0.2 * w, -0.99), (0.5 * w, -0.91), (0.8 * w * who.forehead, -0.73),
            (w * who.forehead, -0.42), (w, -0.05), (0.97 * w, 0.25),
            (w * (0.15 + 0.85 * who.jaw), 0.55), (w * (who.jaw * 0.7 + who.chin * 0.3), 0.78),
            (w * who.chin, 0.97)]  # fmt: skip
    return curve(mirror(half))


def _hair_edges(who: Identity) -> tuple[Array, Array]:
    """The hairline from right to left, and the hair's outer edge from left to right."""
    volume, _, hairline = _HAIR[who.hair]
    inner = np.array(hairline or [(0, 0)], np.float32) * (who.width, 1)
    if inner[-1, 0] == 0:
        inner = mirror(inner)
    end = np.arccos(-inner[0, 1] / (1 + volume))
    angle = np.linspace(-end, end, 40)
    bumps = 1 + (0.03 * np.sin(angle * 17) if who.hair == "curly" else 0 * angle)
    wide = (who.width + 0.6 * volume) / max(np.sin(end), 0.9)
    across = np.sign(angle) * np.abs(np.sin(angle)) ** 0.8  # a skull is rounder than an ellipse
    outer = np.stack([across * wide * bumps, -np.cos(angle) * (1 + volume) * bumps], 1)
    flip = (np.sign(who.part_side), 1)
    return (curve(inner, False) if hairline else inner[:0]) * flip, outer * flip


def _body(who: Identity, pen: Pen, skin: Array, locks: Array) -> None:
    back = _HAIR[who.hair][1]
    shoulders = [(0.3, 1.12), (0.6, 1.28), (1.25, 1.45), (1.6, 1.9), (1.75, 3), (1.8, 5), (1.8, 9)]
    pen.fill(curve(mirror(shoulders)), np.array(pen.look.shirt), solid=True, grain=0.04)
    if back:
        w = who.width
        half = [(0.3, -0.95), (w * 1.05, -0.5), (w * 1.2, 0.1), (w * 1.22, back * 0.7), (w, back)]
        pen.fill(curve(mirror(half)), locks * 0.75, solid=True, grain=0.1)
    neck = who.width * (0.45 + 0.25 * who.jaw)
    column = [(neck, 0.4), (neck * 0.95, 1.0), (neck * 1.1, 1.25), (neck * 0.5, 1.42)]
    pen.fill(curve(mirror(column)), skin * 0.9, solid=True)
    pen.fill(ellipse(0, 0.95, neck * 1.1, 0.22), skin * 0.4, 0.6, 0.06)


def _marks(who: Identity, pen: Pen, skin: Array, outline: Array) -> None:
    rng = np.random.default_rng(int(who.marks_seed))
    red = skin * np.array((1.08, 0.8, 0.78), np.float32)
    for side in (-1.0, 1.0):
        pen.fill(ellipse(side * 0.37, 0.32, 0.13, 0.1), red, 0.35, 0.08)
        crease = [(side * 0.2, 0.38), (side * 0.28, 0.5), (side * 0.3, 0.62)]
        pen.fill(curve(crease, False), skin * 0.6, 0.35, 0.015, line=0.02)
    for x, y in rng.uniform((-0.5, -0.6), (0.5, 0.8), (int(rng.integers(0, 4)), 2)):
        pen.fill(ellipse(x, y, 0.016, 0.016), skin * 0.4, 0.8, within=outline)
    for x, y in rng.normal((0, 0.2), (0.25, 0.12), (int(40 * max(who.freckles, 0)), 2)):
        pen.fill(ellipse(x, y, 0.011, 0.011), skin * 0.6, 0.6)


def _eye(who: Identity, pen: Pen, skin: Array, locks: Array, side: float) -> None:
    centre = np.array([side * who.eye_gap, who.eye_y], np.float32)
    size = (side * who.eye_width, who.eye_height * pen.look.eye_open)
    tilt = np.array([[1, -who.eye_tilt * side], [0, 1]], np.float32)

    def place(controls: Points, closed: bool = False) -> Array:
        return curve((np.asarray(controls, np.float32) * size) @ tilt + centre, closed)

    upper = [(-1, 0.2), (-0.5, -0.72), (0.1, -1), (0.65, -0.62), (1, 0.1)]
    lids = place([*upper, (0.5, 0.7), (-0.3, 0.8)], closed=True)
    pen.fill(ellipse(centre[0], centre[1], 0.2, 0.12), skin * 0.5, 0.55, 0.06)
    pen.fill(lids, np.array((226, 219, 212)))
    x, y = centre + np.array(pen.look.gaze) * (0.3 * who.eye_width, who.eye_height)
    iris = tone(_IRIS, who.iris_tone * (1 - 0.7 * who.melanin))
    for radius, light in ((0.068, 0.7), (0.05, 1.2), (0.03, 0.1)):
        pen.fill(ellipse(x, y, radius, radius), iris * light, within=lids)
    pen.fill(ellipse(x - 0.02, y - 0.025, 0.013, 0.013), iris * 0 + 245, within=lids)
    pen.fill(place([*upper[:-1], (1.1, 0)]), skin * 0.15, 0.9, line=0.028)
    pen.fill(place([(-0.9, -0.7), (0, -1.8), (1.1, -0.9)]), skin * 0.5, 0.6, 0.01, line=0.02)
    pen.fill(place([(-0.8, 1.2), (0, 1.8), (0.8, 1.2)]), skin * 0.6, 0.4, 0.012, line=0.02)
    y, t, lift = who.eye_y - who.brow_gap, who.brow_thickness, who.brow_tilt
    brow = [(0.12, y + t + lift), (0.3, y - 0.02), (0.47, y + 0.03 - lift),
            (0.3, y - 0.02 - 1.6 * t), (0.13, y - t + lift)]  # fmt: skip
    pen.fill(curve(np.array(brow) * (side, 1)), locks * 0.6, 0.85, 0.008, grain=0.15)


def _nose(who: Identity, pen: Pen, skin: Array) -> None:
    base, w = who.eye_y + who.nose_length, who.nose_width
    pen.fill(ellipse(0, base + 0.02, w, 0.035), skin * 0.55, 0.55, 0.025)
    pen.fill(ellipse(0, base - 0.05, w * 0.55, 0.06), skin * 1.12, 0.5, 0.03, lift=0.1)
    for side in (-1.0, 1.0):
        wing = np.array([(0.85, -0.09), (1.02, -0.03), (0.92, 0.02), (0.65, 0.02)]) * (side * w, 1)
        wing += np.array((0, base))
        pen.fill(curve(wing, False), skin * 0.5, 0.5, 0.01, line=0.02, lift=0.06)
        pen.fill(ellipse(side * w * 0.48, base, 0.034, 0.017), skin * 0.25, 0.8, 0.004, lift=0.06)


def _mouth(who: Identity, pen: Pen, skin: Array) -> None:
    smile, gap, full = pen.look.smile, pen.look.mouth_open * 0.13, who.lips
    y, w = who.eye_y + who.nose_length + who.mouth_gap, who.mouth_width * (1 + 0.15 * smile)
    corner, lips = (w, y - 0.05 * smile), skin * np.array((0.84, 0.6, 0.6), np.float32)
    pen.fill(ellipse(0, y + gap + full * 1.6, w * 0.6, 0.03), skin * 0.6, 0.5, 0.03)
    shape = [(0.03, y - full * 0.7), (0.17 * w, y - full * 0.95), (0.55 * w, y - full * 0.7),
             corner, (0.6 * w, y + gap * 0.8 + full * 0.85),
             (0.1 * w, y + gap + full * 1.2)]  # fmt: skip
    pen.fill(curve(mirror(shape)), lips, 0.9, 0.008)
    pen.fill(ellipse(0, y + gap + full * 0.55, w * 0.45, full * 0.25), lips * 1.25, 0.4, 0.02)
    if gap:
        hole = [(0.1, y), (0.5 * w, y + 0.01), corner, (0.55 * w, y + gap * 0.8), (0.1, y + gap)]
        inside = curve(mirror(hole))
        pen.fill(inside, np.array((60, 22, 22)))
        pen.fill(ellipse(0, y, w * 0.75, 0.05), np.array((222, 216, 204)), 0.9, within=inside)
    seam = mirror([corner, (0.5 * w, y + 0.01), (0.1, y)])
    pen.fill(curve(seam, False), lips * 0.35, 0.8, 0.004, line=0.018)


def _beard(who: Identity, pen: Pen, locks: Array, outline: Array) -> None:
    nose, w = who.eye_y + who.nose_length, who.mouth_width
    mouth = nose + who.mouth_gap
    lip = [(0.04, nose + 0.07), (w * 0.8, mouth - 0.1), (w * 1.15, mouth + 0.04), (0.05, mouth)]
    chin = [(0.1, mouth + 0.1), (w * 0.9, mouth + 0.06), (w * 0.85, 0.95), (0.1, 1.1)]
    cheeks = [(0.05, nose + 0.07), (w, nose + 0.1), (who.width * 0.72, nose + 0.08),
              (who.width * 0.93, 0.1), (1.0, 0.1), (1.0, 1.2), (0.1, 1.2)]  # fmt: skip
    areas = {"none": [], "moustache": [lip], "goatee": [lip, chin]}.get(who.beard, [cheeks])
    opacity, soft = (0.3, 0.06) if who.beard == "stubble" else (0.85, 0.025)
    for area in areas:
        pen.fill(curve(mirror(area)), locks * 0.8, opacity, soft, within=outline, grain=0.2)


def _glasses(who: Identity, pen: Pen) -> None:
    colour = tone(_FRAMES, who.frame_tone)
    box = [(-0.2, -0.13), (0.2, -0.14), (0.22, -0.05), (0.17, 0.13), (-0.16, 0.13), (-0.21, -0.05)]
    for side in (-1.0, 1.0):
        x, y = side * (who.eye_gap + 0.01), who.eye_y + 0.02
        square = curve(np.array(box) * (side, 1) + np.array((x, y)))
        rim = square if who.glasses == "square" else ellipse(x, y, 0.21, 0.18)
        pen.fill(rim, colour * 0 + 235, 0.08, lift=0.12)
        pen.fill(np.concatenate([rim, rim[:1]]), colour, line=0.035, lift=0.12)
        arm = [(x + side * 0.2, y - 0.04), (side * who.width, y - 0.02)]
        pen.fill(np.array(arm), colour, line=0.03, lift=0.06)
    bridge = [(-0.11, who.eye_y), (0.0, who.eye_y - 0.03), (0.11, who.eye_y)]
    pen.fill(curve(bridge, False), colour, line=0.035, lift=0.12)
