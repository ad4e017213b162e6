"""Our face network beside the peers, in turn in one process."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import ROOT, Distribution, conditions, interleaved_ms
from edge_runtime.command import silenced_stderr, table
from edge_runtime.errors import UsageError
from edge_runtime.interpreter import chosen_interpreter, count_partitions

OURS = ("float32", "dynamic_wi8", "mixed_wi8")
STOCK = ("textbook_float32", "textbook_dynamic", "naive_float32", "naive_int8")
RATIOS = ("textbook_float32/float32", "textbook_dynamic/mixed_wi8", "naive_int8/mixed_wi8",
          "float32/mixed_wi8")
MULTIPLE = 64  # of the picture's sides, for whole patches in the last stage

Say = Callable[[str], None]


def measure_peers(
    folder: Path, *, image_size: int = 256, threads: int = 1, rounds: int = 200, say: Say = print
) -> dict[str, Any]:
    """Times of one inference of a face: {"results": [...], "ratios": {...}, "conditions": {...}}.

    folder: where the peers' models are kept; ours are made anew each time, since they change. A
    ratio "a/b" is how many times as long as b a takes.
    """
    if rounds < 1 or threads < 1:
        raise UsageError("--rounds and --threads expect a number of at least 1")
    if image_size < MULTIPLE or image_size % MULTIPLE:
        raise UsageError(f"--image-size expects a multiple of {MULTIPLE}, found {image_size}")
    models = {**build_ours(image_size, say), **build_stock(folder, image_size, say)}
    return compare(models, threads, rounds) | {"image_size": image_size}


def build_ours(image_size: int, say: Say) -> dict[str, bytes]:
    """Face networks of an untrained run for 95 people, by recipe."""
    with tempfile.TemporaryDirectory() as temporary:
        run = Path(temporary) / "run"
        say("building ours")
        _run("train", "init", "--image-size", image_size, "--people", 95, "--out", run)
        for recipe in OURS:
            _run("convert", "bundle", run, "--untrained", "--recipe", recipe, "--out",
                 run.with_name(recipe))
        return {recipe: (run.with_name(recipe) / "face.tflite").read_bytes() for recipe in OURS}


def build_stock(folder: Path, image_size: int, say: Say) -> dict[str, bytes]:
    """The networks of benchmarks/peers/stock_mobilevit.py, those that are there already aside."""
    source = Path(__file__).with_name("stock_mobilevit.py").read_bytes()
    folder = folder.resolve() / f"{image_size}-{hashlib.sha256(source).hexdigest()[:8]}"
    files = {name: folder / f"{name}.tflite" for name in STOCK}
    if not all(file.is_file() for file in files.values()):
        say("building the peers")
        _run("benchmarks.peers.stock_mobilevit", folder, image_size)
    return {name: file.read_bytes() for name, file in files.items()}


def _run(module: str, *arguments: object) -> None:
    done = subprocess.run([sys.executable, "-m", module, *map(str, arguments)], cwd=ROOT,
                          capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UsageError(f"the networks cannot be built ({said}); install the extra 'train'")


def compare(models: Mapping[str, bytes], threads: int, rounds: int) -> dict[str, Any]:
    """Times of models that take one face, in turn."""
    tasks, partitions = {}, {}
    for name, model in models.items():
        tasks[name], partitions[name] = _task(model, threads)
    times = interleaved_ms(tasks, rounds)
    results = [{"name": name, "bytes": len(models[name]), "partitions": partitions[name],
                **asdict(Distribution.of(row))} for name, row in times.items()]
    median = {result["name"]: result["median_ms"] for result in results}
    ratios = {}
    for ratio in RATIOS:
        over, _, under = ratio.partition("/")
        ratios[ratio] = round(median[over] / median[under], 3)
    return {"results": results, "ratios": ratios,
            "conditions": conditions(threads) | {"rounds": rounds}}


def _task(model: bytes, threads: int) -> tuple[Callable[[], object], int | None]:
    with silenced_stderr():
        interpreter = chosen_interpreter().make(model_content=model, num_threads=threads)
        interpreter.allocate_tensors()
    details = interpreter.get_input_details()[0]
    noise = np.random.default_rng(0).uniform(0, 255, details["shape"])
    interpreter.set_tensor(details["index"], noise.astype(details["dtype"]))
    return interpreter.invoke, count_partitions(interpreter)


def peers_table(content: Mapping[str, Any]) -> str:
    """The results as a Markdown table."""
    results: Sequence[Mapping[str, Any]] = content["results"]
    least = min(r["median_ms"] for r in results if r["name"] in OURS)
    rows = [[f"ours, {r['name']}" if r["name"] in OURS else r["name"], f"{r['median_ms']:.2f}",
             f"{r['p90_ms']:.2f}", f"{r['median_ms'] / least:.2f}", str(r["partitions"]),
             f"{r['bytes'] / 1e6:.2f}"] for r in results]
    return table(["network", "median (ms)", "p90", "times the fastest of ours",
                  "XNNPACK partitions", "MB"], rows)
