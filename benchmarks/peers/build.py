"""The networks that are compared: ours, and the peers', each made by a process of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.cost.operations import front_end_of
from benchmarks.cost.stages import SCENE
from benchmarks.cost.untrained import IMAGE_SIZE, Say, make_by, untrained_bundles
from benchmarks.peers.environments import python_of
from edge_runtime.signals.voice import read_clip, voice_input

RECIPES = ("float32", "dynamic_wi8", "mixed_wi8")
PAIR = "pair_mixed_wi8"  # both networks, at the default sizes
FRONT_END = "front_end"
STOCK = ("textbook_float32", "textbook_dynamic", "naive_float32", "naive_int8",
         "mobilenetv3_small_float32")
MOBILENET = "mobilenetv3_small_float32"
ONNX = "onnxruntime_mobilevit_xxs"


@dataclass(frozen=True)
class Network:
    """library: of benchmarks/peers/host.py. value: what it is run on; noise where None."""

    library: str
    model: Path | None
    value: Path | None = None


def build_ours(folder: Path, image_size: int, say: Say) -> dict[str, list[Network]]:
    """Networks of untrained pairs: a face's by recipe, and the pair at the default size."""
    bundles = untrained_bundles(folder / str(image_size), say, recipes=RECIPES,
                                image_size=image_size)
    (pair,) = untrained_bundles(folder / str(IMAGE_SIZE), say, recipes=(RECIPES[-1],))
    return ours(dict(zip(RECIPES, bundles, strict=True)), pair, folder)


def ours(bundles: Mapping[str, Path], pair: Path, folder: Path) -> dict[str, list[Network]]:
    """The face networks of bundles by recipe, both networks of `pair`, and the front end cut out
    of its voice network, on a clip that is written to `folder`."""
    clip, front_end = folder / "clip.npy", folder / "front_end.tflite"
    np.save(clip, voice_input(read_clip(SCENE / "clip.flac"))[0])
    front_end.write_bytes(front_end_of((pair / "voice.tflite").read_bytes()))
    faces = {name: [Network("litert", bundle / "face.tflite")] for name, bundle in bundles.items()}
    return faces | {PAIR: [Network("litert", pair / "face.tflite"),
                           Network("litert", pair / "voice.tflite", clip)],
                    FRONT_END: [Network("litert", front_end, clip)],
                    "librosa": [Network("librosa", None, clip)]}


def build_stock(cache: Path, image_size: int, say: Say) -> dict[str, list[Network]]:
    """The networks of benchmarks/peers/stock.py; those that are there already stay."""
    folder = _folder(cache, image_size, "stock.py")
    files = {name: folder / f"{name}.tflite" for name in STOCK}
    if not all(file.is_file() for file in files.values()):
        say("building the peers")
        make_by("benchmarks.peers.stock", folder, image_size)
    return {name: [Network("litert", file)] for name, file in files.items()}


def build_onnx(cache: Path, image_size: int, say: Say) -> dict[str, list[Network]]:
    """timm's network as an ONNX file. UsageError where its environment is missing."""
    python = python_of("onnxruntime", environments_in(cache))
    file = _folder(cache, image_size, "timm_mobilevit.py") / "mobilevit_xxs.onnx"
    if not file.is_file():
        say("exporting timm's mobilevit_xxs")
        file.parent.mkdir(parents=True, exist_ok=True)
        make_by("benchmarks.peers.timm_mobilevit", file, image_size, python=python)
    return {ONNX: [Network("onnxruntime", file)]}


def environments_in(cache: Path) -> Path:
    """Where the peers' environments are."""
    return cache / "environments"


def _folder(cache: Path, image_size: int, source: str) -> Path:
    """A place of its own for what each version of a script makes."""
    content = Path(__file__).with_name(source).read_bytes()
    return cache.absolute() / f"{image_size}-{hashlib.sha256(content).hexdigest()[:8]}"
