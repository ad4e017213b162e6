"""Our face networks beside the peers, in turn in one process, one thread."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import ROOT, Distribution, conditions, interleaved_ms
from edge_runtime.bundle import load_bundle
from edge_runtime.command import silenced_stderr, table
from edge_runtime.errors import UsageError
from edge_runtime.interpreter import chosen_interpreter, count_partitions

PEERS = ("textbook_float32", "textbook_dynamic", "naive_float32", "naive_int8")
IMAGE_SIZE = 256


def build_peers(folder: Path) -> list[Path]:
    """Build the peers' models, those that are there already aside, in a process of its own."""
    files = [folder / f"{name}.tflite" for name in PEERS]
    if not all(file.is_file() for file in files):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.peers.stock_mobilevit", str(folder.resolve())],
            cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            said = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise UsageError(f"the peers cannot be built ({said}); install the extra 'train'")
    return files


def measure_peers(
    bundles: Sequence[Path], folder: Path, *, rounds: int = 200
) -> dict[str, Any]:
    """Times of one inference of a face of 256 pixels: {"results": [...], "conditions": {...}}.

    bundles: ours, for that image size. folder: where the peers' models are kept. ratio: how many
    times as long as the fastest of the bundles each takes.
    """
    if rounds < 1:
        raise UsageError(f"--rounds expects a number above 0, found {rounds}")
    models: dict[str, bytes] = {}
    for path in bundles:
        bundle = load_bundle(path, allow_uncertified=True)
        face = bundle.manifest.inputs.face
        if face is None or face.size != IMAGE_SIZE or "face" not in bundle.manifest.files:
            raise UsageError(f"{path}: expected a face network for pictures of {IMAGE_SIZE} pixels,"
                             f" found {face.size if face else 'none'}; make one with 'python -m "
                             f"train init --image-size {IMAGE_SIZE}'")
        name = f"ours, {bundle.manifest.recipe}"
        if name in models:
            raise UsageError(f"{path}: expected bundles of different recipes, found two of "
                             f"{bundle.manifest.recipe}; name one")
        models[name] = bundle.models["face"]
    models |= {file.stem: file.read_bytes() for file in build_peers(folder)}
    tasks, partitions = {}, {}
    for name, model in models.items():
        tasks[name], partitions[name] = _task(model)
    times = interleaved_ms(tasks, rounds)
    spread = {name: asdict(Distribution.of(row)) for name, row in times.items()}
    least = min(spread[name]["median_ms"] for name in models if name.startswith("ours"))
    results = [{"name": name, "bytes": len(models[name]), "partitions": partitions[name],
                **spread[name], "ratio": round(spread[name]["median_ms"] / least, 2)}
               for name in models]
    return {"image_size": IMAGE_SIZE, "results": results,
            "conditions": conditions(1) | {"rounds": rounds}}


def _task(model: bytes) -> tuple[Callable[[], object], int | None]:
    with silenced_stderr():
        interpreter = chosen_interpreter().make(model_content=model, num_threads=1)
        interpreter.allocate_tensors()
    details = interpreter.get_input_details()[0]
    noise = np.random.default_rng(0).uniform(0, 255, details["shape"])
    interpreter.set_tensor(details["index"], noise.astype(details["dtype"]))
    return interpreter.invoke, count_partitions(interpreter)


def peers_table(content: dict[str, Any]) -> str:
    """The results as a Markdown table."""
    rows = [[r["name"], f"{r['median_ms']:.2f}", f"{r['p90_ms']:.2f}", f"{r['ratio']:.2f}",
             str(r["partitions"]), f"{r['bytes'] / 1e6:.2f}"] for r in content["results"]]
    return table(["network", "median (ms)", "p90", "times the fastest of ours",
                  "XNNPACK partitions", "MB"], rows)
