"""What surrounds a drawn head: the pen that draws it, its light, the background and the camera.

Head units: the top of the skull is y = -1, the chin y = 1, x grows to the picture's right and z
towards the camera. Points lie on an ellipsoid and shift with the pose in proportion to their z;
the light falls on a height map of the same ellipsoid with brows, sockets, nose and lips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Picture = NDArray[np.uint8]
Points = Sequence[tuple[float, float]]

_HALF_WIDTH, _HALF_HEIGHT, _HALF_DEPTH = 0.72, 1.05, 0.8
# Bumps of the height map: x, y, radius in x, radius in y, height; in head units.
_BUMPS = [
    (0.0, 0.16, 0.1, 0.22, 0.09), (0.0, 0.36, 0.12, 0.1, 0.1), (0.29, 0.0, 0.14, 0.09, -0.07),
    (-0.29, 0.0, 0.14, 0.09, -0.07), (0.0, -0.2, 0.4, 0.08, 0.03), (0.36, 0.3, 0.16, 0.16, 0.05),
    (-0.36, 0.3, 0.16, 0.16, 0.05), (0.0, 0.62, 0.18, 0.06, 0.05), (0.0, 0.9, 0.14, 0.1, 0.06),
]  # fmt: skip


@dataclass(frozen=True)
class Look:
    """What differs between two pictures of the same head. Angles are in radians."""

    centre: tuple[float, float]  # pixels, x and y
    scale: float  # pixels per head unit
    yaw: float
    pitch: float
    roll: float
    mouth_open: float
    smile: float
    eye_open: float
    gaze: tuple[float, float]
    light: tuple[float, float]  # x and y of the direction that it comes from
    ambient: float
    shirt: tuple[float, float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator, centre: tuple[float, float], scale: float) -> Look:
        """Draw a pose, an expression, a light and a shirt."""
        talking = rng.random() < 0.4
        return cls(
            centre=centre,
            scale=scale,
            yaw=float(np.clip(rng.normal(0, 0.16), -0.4, 0.4)),
            pitch=float(np.clip(rng.normal(0.02, 0.1), -0.25, 0.25)),
            roll=float(np.clip(rng.normal(0, 0.06), -0.2, 0.2)),
            mouth_open=float(rng.uniform(0.1, 0.8)) if talking else 0.0,
            smile=float(rng.uniform(-0.4, 1.0)),
            eye_open=float(rng.uniform(0.65, 1.1)),
            gaze=(float(rng.normal(0, 0.2)), float(rng.normal(0, 0.12))),
            light=(float(rng.normal(0, 0.45)), float(rng.uniform(-0.8, 0.0))),
            ambient=float(rng.uniform(0.35, 0.7)),
            shirt=tuple(rng.uniform(20, 235, 3).tolist()),
        )


def curve(controls: Points | Array, closed: bool = True, steps: int = 6) -> Array:
    """Catmull-Rom spline through controls [n, 2]; returns points [about n * steps, 2]."""
    p = np.asarray(controls, np.float32)
    p = np.concatenate([p[-1:], p, p[:2]] if closed else [p[:1], p, p[-1:]])
    a, b, c, d = (p[i : len(p) - 3 + i, None] for i in range(4))
    t = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
    q = b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return q.reshape(-1, 2)


def mirror(half: Points | Array) -> Array:
    """Complete a right half, given from one end to the middle line, with its left half."""
    right = np.asarray(half, np.float32)
    return np.concatenate([right, (right * (-1, 1))[::-1]])


def ellipse(x: float, y: float, rx: float, ry: float) -> Array:
    """Twenty points [20, 2] around a centre."""
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], 1).astype(np.float32)


def tone(table: Sequence[tuple[int, int, int]], position: float) -> Array:
    """Interpolate a table of RGB at a position between 0 and 1; float32 [3]."""
    steps = np.linspace(0, 1, len(table))
    channels = [np.interp(position, steps, channel) for channel in zip(*table, strict=True)]
    return np.array(channels, np.float32)


class Pen:
    """Fills curves, given in head units, on a layer [4, h, w]: RGB times alpha, and alpha.

    The layer is twice as fine as the picture and reduced at the end, which smooths its edges.
    """

    def __init__(self, look: Look, size: tuple[int, int], rng: np.random.Generator):
        self.look, self.size = look, size
        self.centre, self.scale = (2 * look.centre[0], 2 * look.centre[1]), 2 * look.scale
        self.layer: Array = np.zeros((4, 2 * size[0], 2 * size[1]), np.float32)
        # Long in y and short in x, like strands of hair.
        strands = rng.standard_normal((max(size[0] // 6, 2), size[1]), np.float32)
        self.strands: Array = cv2.resize(strands, self.layer.shape[:0:-1])

    def pixels(self, points: Array, lift: float = 0.0) -> Array:
        """Project points [n, 2] in head units to pixels [n, 2]; lift adds to their z."""
        look, (x, y) = self.look, points.T
        z = _depth(x, y) + lift
        x, y = x + z * np.sin(look.yaw), y + z * np.sin(look.pitch)
        cos, sin = np.cos(look.roll), np.sin(look.roll)
        turned = np.stack([x * cos - y * sin, x * sin + y * cos], 1) * self.scale
        pixels: Array = (turned + np.asarray(self.centre)).astype(np.float32)
        return pixels

    def fill(
        self,
        points: Array,
        colour: Array,
        opacity: float = 1.0,
        soft: float = 0.0,
        *,
        lift: float = 0.0,
        within: Array | None = None,
        solid: bool = False,
        grain: float = 0.0,
        line: float = 0.0,
    ) -> None:
        """Paint a curve [n, 2] with RGB 0 to 255; unless solid, only where there is paint already.

        soft (blur) and line (width of a stroke instead of a filled curve) are in head units.
        """
        pixels, blur = self.pixels(points, lift), soft * self.scale
        margin = 2.5 * blur + line * self.scale + 2
        limits = self.layer.shape[:0:-1]
        left, top = np.clip(pixels.min(0) - margin, 0, limits).astype(int)
        right, bottom = np.clip(pixels.max(0) + margin, 0, limits).astype(int)
        if right <= left or bottom <= top:
            return
        shape, offset = (bottom - top, right - left), np.array([left, top], np.float32)
        weight = _mask(pixels - offset, shape, line * self.scale) * np.float32(opacity)
        if blur > 0.3:
            weight = cv2.GaussianBlur(weight, (0, 0), blur)
        if within is not None:
            weight = weight * _mask(self.pixels(within, lift) - offset, shape)
        target = self.layer[:, top:bottom, left:right]
        if not solid:
            weight = weight * target[3]
        grains = 1 + grain * self.strands[top:bottom, left:right] if grain else np.float32(1)
        for channel, value in zip(target[:3], colour.tolist(), strict=True):
            channel += weight * (np.float32(value) * grains - channel)
        if solid:
            target[3] += weight * (1 - target[3])

    def shade(self) -> None:
        """Let the light fall on what was drawn: diffuse, ambient and a little gloss."""
        look, (height, width) = self.look, self.layer.shape[1:]
        step = max(self.scale / 32, 1.0)  # a coarse grid is enough for so smooth a surface
        rows, columns = max(int(height / step), 2), max(int(width / step), 2)
        x, y = np.meshgrid(
            (np.linspace(0, width, columns, dtype=np.float32) - self.centre[0]) / self.scale,
            (np.linspace(0, height, rows, dtype=np.float32) - self.centre[1]) / self.scale,
        )
        cos, sin = np.cos(-look.roll), np.sin(-look.roll)
        x, y = x * cos - y * sin, x * sin + y * cos
        z = _depth(x, y)
        x, y = x - z * np.sin(look.yaw), y - z * np.sin(look.pitch)
        # Wider than the head, so that slopes stay finite at its edge and hair is rounded too.
        surface = 0.9 * np.sqrt(np.clip(1 - (x / 0.95) ** 2 - (y / 1.4) ** 2, 0.02, 1))
        for bx, by, rx, ry, bump in _BUMPS:
            surface += bump * np.exp(-(((x - bx) / rx) ** 2) - ((y - by) / ry) ** 2)
        slope_y, slope_x = np.gradient(surface, step / self.scale)
        normal = np.stack([-slope_x, -slope_y, np.ones_like(x)])
        normal /= np.linalg.norm(normal, axis=0)
        light = np.array([*look.light, 1.0])
        lit = np.einsum("i,ihw->hw", light / np.linalg.norm(light), normal)
        gloss = 0.14 * np.clip(lit, 0, 1) ** 24
        lit = look.ambient + (1 - look.ambient) * 1.12 * np.clip(lit, 0, 1) + gloss
        self.layer[:3] *= cv2.resize(lit.astype(np.float32), (width, height))

    def over(self, behind: Array) -> Array:
        """Reduce the layer and put it over a background: RGB 0 to 255, float32 [h, w, 3]."""
        fine = cv2.merge(list(self.layer))
        layer = cv2.resize(fine, self.size[::-1], interpolation=cv2.INTER_AREA)
        picture: Array = behind * (1 - layer[..., 3:]) + layer[..., :3]
        return picture


def _depth(x: Array, y: Array) -> Array:
    square = 1 - (x / _HALF_WIDTH) ** 2 - (y / _HALF_HEIGHT) ** 2
    z: Array = _HALF_DEPTH * np.sqrt(np.clip(square, 0, 1))
    return z


def _mask(pixels: Array, shape: tuple[int, int], line: float = 0.0) -> Array:
    mask = np.zeros(shape, np.uint8)
    fixed = [np.round(pixels * 16).astype(np.int32)]
    if line:
        cv2.polylines(mask, fixed, False, 255, max(round(line), 1), cv2.LINE_AA, 4)
    else:
        cv2.fillPoly(mask, fixed, 255, cv2.LINE_AA, 4)
    return mask * np.float32(1 / 255)


def background(rng: np.random.Generator, height: int, width: int) -> Array:
    """Plain, a gradient, or blotches, in any colour; float32 [h, w, 3]."""
    kind, base = rng.integers(3), rng.uniform(40, 220) + rng.normal(0, 25, 3)
    grid = ((1, 1), (2, 2), tuple(rng.integers(4, 14, 2)))[kind]
    field = base + rng.normal(0, (0, 40, 25)[kind], (*grid, 1)) + rng.normal(0, 10, (*grid, 3))
    smooth: Array = cv2.resize(
        field.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    return smooth


def room(rng: np.random.Generator, height: int, width: int) -> Array:
    """A wall, a floor and boxes for windows, frames and shelves, out of focus; [h, w, 3]."""
    wall = np.ones((height, width, 3), np.float32) * (rng.uniform(70, 225) + rng.normal(0, 14, 3))
    left, right = rng.uniform(0.7, 1.1, 2)
    wall = (wall * np.linspace(left, right, width)[:, None]).astype(np.float32)
    wall[int(height * rng.uniform(0.75, 0.95)) :] *= rng.uniform(0.4, 0.8) + rng.normal(0, 0.05, 3)
    for _ in range(rng.integers(3, 8)):
        w, h = (rng.uniform(0.06, 0.4, 2) * (width, height)).astype(int)
        x, y = (rng.uniform(-0.05, 0.95, 2) * (width, height)).astype(int)
        fill, edge = (rng.uniform(20, 230, (2, 1)) + rng.normal(0, 25, (2, 3))).tolist()
        cv2.rectangle(wall, (x, y), (x + w, y + h), fill, -1)
        for line in range(x, x + w, max(w // int(rng.integers(1, 9)), 1)):
            cv2.line(wall, (line, y), (line, y + h), edge, int(rng.integers(1, 6)))
        cv2.rectangle(wall, (x, y), (x + w, y + h), edge, int(rng.integers(1, 14)))
    blurred: Array = cv2.GaussianBlur(wall, (0, 0), rng.uniform(1.0, 4.0))
    return blurred


def camera(picture: Array, rng: np.random.Generator) -> Picture:
    """Colour temperature, exposure, blur and sensor noise: float32 [h, w, 3] to uint8."""
    warmth = rng.normal(0.015, 0.045)
    gain = rng.uniform(0.75, 1.15) * np.array([1 + warmth, 1, 1 - warmth])
    picture = picture * gain.astype(np.float32)
    if (blur := rng.uniform(0, 0.9)) > 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), blur)
    noise = rng.standard_normal(picture.shape, np.float32) * np.float32(rng.uniform(1, 6))
    return np.clip(picture + noise, 0, 255).astype(np.uint8)
