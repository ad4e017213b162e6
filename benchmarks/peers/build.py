"""The networks that are compared: ours, and the peers', each made by a process of its own."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.cutting import front_end_of
from benchmarks.peers.environments import python_of
from benchmarks.stages import SCENE
from benchmarks.timing import ROOT
from edge_runtime.errors import UsageError
from edge_runtime.voice import read_clip, voice_input

RECIPES = ("float32", "dynamic_wi8", "mixed_wi8")
PAIR = "pair_mixed_wi8"  # both networks, at the default sizes
FRONT_END = "front_end"
STOCK = ("textbook_float32", "textbook_dynamic", "naive_float32", "naive_int8",
         "mobilenetv3_small_float32")
MOBILENET = "mobilenetv3_small_float32"
ONNX = "onnxruntime_mobilevit_xxs"
DEFAULT_SIZE = 128

Say = Callable[[str], None]


@dataclass(frozen=True)
class Network:
    """library: of benchmarks/peers/host.py. value: what it is run on; noise where None."""

    library: str
    model: Path | None
    value: Path | None = None


def build_ours(folder: Path, image_size: int, say: Say) -> dict[str, list[Network]]:
    """Networks of untrained runs for 95 people: a face's by recipe, and the pair."""
    say("building ours")
    found = {}
    run = _untrained(folder, image_size)
    for recipe in RECIPES:
        found[recipe] = [Network("litert", _bundle(run, recipe) / "face.tflite")]
    pair = run if image_size == DEFAULT_SIZE else _untrained(folder, DEFAULT_SIZE)
    return found | ours_of_pair(_bundle(pair, "mixed_wi8"))


def ours_of_pair(bundle: Path) -> dict[str, list[Network]]:
    """Both networks of a bundle, and the front end cut out of its voice network, on a clip."""
    clip, front_end = bundle.parent / "clip.npy", bundle.parent / "front_end.tflite"
    np.save(clip, voice_input(read_clip(SCENE / "clip.flac"))[0])
    front_end.write_bytes(front_end_of((bundle / "voice.tflite").read_bytes()))
    return {PAIR: [Network("litert", bundle / "face.tflite"),
                   Network("litert", bundle / "voice.tflite", clip)],
            FRONT_END: [Network("litert", front_end, clip)],
            "librosa": [Network("librosa", None, clip)]}


def _untrained(folder: Path, image_size: int) -> Path:
    run = folder / f"run-{image_size}"
    _make("train", "init", "--image-size", image_size, "--people", 95, "--out", run)
    return run


def _bundle(run: Path, recipe: str) -> Path:
    out = run.with_name(f"{run.name}-{recipe}")
    if not out.exists():
        _make("convert", "bundle", run, "--untrained", "--recipe", recipe, "--out", out)
    return out


def build_stock(cache: Path, image_size: int, say: Say) -> dict[str, list[Network]]:
    """The networks of benchmarks/peers/stock.py; those that are there already stay."""
    folder = _folder(cache, image_size, "stock.py")
    files = {name: folder / f"{name}.tflite" for name in STOCK}
    if not all(file.is_file() for file in files.values()):
        say("building the peers")
        _make("benchmarks.peers.stock", folder, image_size)
    return {name: [Network("litert", file)] for name, file in files.items()}


def build_onnx(cache: Path, image_size: int, say: Say) -> dict[str, list[Network]]:
    """timm's network as an ONNX file. UsageError where its environment is missing."""
    python = python_of("onnxruntime", environments_in(cache))
    file = _folder(cache, image_size, "timm_mobilevit.py") / "mobilevit_xxs.onnx"
    if not file.is_file():
        say("exporting timm's mobilevit_xxs")
        file.parent.mkdir(parents=True, exist_ok=True)
        _make("benchmarks.peers.timm_mobilevit", file, image_size, python=python)
    return {ONNX: [Network("onnxruntime", file)]}


def environments_in(cache: Path) -> Path:
    """Where the peers' environments are."""
    return cache / "environments"


def _folder(cache: Path, image_size: int, source: str) -> Path:
    """A place of its own for what each version of a script makes."""
    content = Path(__file__).with_name(source).read_bytes()
    return cache.absolute() / f"{image_size}-{hashlib.sha256(content).hexdigest()[:8]}"


def _make(module: str, *arguments: object, python: Path | str = sys.executable) -> None:
    command: Sequence[str] = [str(python), "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UsageError(f"{module} cannot build the networks ({said}); install the extra 'train'")
