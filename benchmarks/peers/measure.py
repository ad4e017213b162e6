"""Our networks beside the peers, in turn, each in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.cost.timing import ROOT, Distribution, Repeats, conditions, interleaved_ms
from benchmarks.cost.untrained import Say
from benchmarks.peers import host
from benchmarks.peers.build import (
    MOBILENET,
    PAIR,
    RECIPES,
    STOCK,
    Network,
    build_onnx,
    build_ours,
    build_stock,
    environments_in,
)
from benchmarks.peers.environments import ENVIRONMENTS, python_of
from edge_runtime.console.output import table
from edge_runtime.errors import UsageError

RATIOS = ("textbook_float32/float32", "textbook_dynamic/mixed_wi8", "naive_int8/mixed_wi8",
          "float32/mixed_wi8", "onnxruntime_mobilevit_xxs/float32",
          "onnxruntime_mobilevit_xxs/mixed_wi8", f"{PAIR}/{MOBILENET}", "librosa/front_end")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
MULTIPLE = 64  # of the picture's sides, for whole patches in the last stage

Candidates = Mapping[str, Sequence[Network]]


def measure_peers(
    cache: Path, *, image_size: int = 256, threads: int = 1, rounds: int = 200, say: Say = print
) -> dict[str, Any]:
    """Times of one inference: {"results": [...], "ratios": {...}, "left_out": {...}, ...}.

    cache: where the peers' networks and environments are kept; ours are made anew each time, since
    they change. A ratio "a/b" is how many times as long as b a takes; null where one is left out.
    """
    if rounds < 1 or threads < 1:
        raise UsageError("--rounds and --threads expect a number of at least 1")
    if image_size < MULTIPLE or image_size % MULTIPLE:
        raise UsageError(f"--image-size expects a multiple of {MULTIPLE}, found {image_size}")
    with tempfile.TemporaryDirectory() as temporary:
        candidates = dict(build_ours(Path(temporary), image_size, say))
        left_out = {}
        for name, build in (("stock Keras", build_stock), ("onnxruntime", build_onnx)):
            try:
                candidates |= build(cache, image_size, say)
            except UsageError as error:
                left_out[name] = str(error)
        found = compare(candidates, cache, threads, rounds)
    found["left_out"] |= left_out
    return found | {"image_size": image_size}


def _with_tflite_runtime(candidates: Candidates) -> dict[str, list[Network]]:
    """The files of one face in the older interpreter, too."""
    return {f"tflite_runtime_{name}": [Network("tflite_runtime", networks[0].model)]
            for name, networks in candidates.items() if name in (*RECIPES, *STOCK)}


def compare(
    candidates: Candidates, cache: Path, threads: int, rounds: int
) -> dict[str, Any]:
    """Times of all that can be run, in turn; a candidate of several networks takes their sum."""
    candidates = {**candidates, **_with_tflite_runtime(candidates)}
    with contextlib.ExitStack() as stack:
        hosts: dict[str, list[Host]] = {}
        left_out: dict[str, str] = {}
        for name, networks in candidates.items():
            try:
                hosts[name] = [stack.enter_context(_host(network, cache, threads))
                               for network in networks]
            except UsageError as error:
                left_out[name] = str(error)
        times = interleaved_ms({(name, i): host for name, found in hosts.items()
                                for i, host in enumerate(found)}, rounds, lambda host: host())
    results = []
    for name, found in hosts.items():
        row = [sum(parts) for parts in zip(*(times[name, i] for i in range(len(found))),
                                           strict=True)]
        models = [network.model for network in candidates[name] if network.model]
        results.append({
            "name": name, "library": found[0].library,
            "bytes": sum(model.stat().st_size for model in models) or None,
            "partitions": None if found[0].partitions is None else
            sum(host.partitions or 0 for host in found),
            **asdict(Distribution.of(row)), **asdict(Repeats.of(row))})
    return {"results": results, "ratios": _ratios(results), "left_out": left_out,
            "conditions": conditions(threads) | {"rounds": rounds}}


def _ratios(results: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    median = {result["name"]: result["median_ms"] for result in results}
    ratios: dict[str, float | None] = {}
    for ratio in RATIOS:
        over, _, under = ratio.partition("/")
        ratios[ratio] = (round(median[over] / median[under], 3)
                         if over in median and under in median else None)
    return ratios


class Host:
    """A network in a process of its own; called, it runs once and returns milliseconds."""

    def __init__(
        self, process: subprocess.Popen[str], library: str, partitions: int | None
    ) -> None:
        self._process, self.library, self.partitions = process, library, partitions

    def __call__(self) -> float:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline()) / 1e6


@contextlib.contextmanager
def _host(network: Network, cache: Path, threads: int) -> Iterator[Host]:
    """UsageError where its library is missing, or cannot run it (some crash)."""
    arguments = [network.library, str(threads), str(network.value or "-"),
                 str(network.model or "-")]
    if network.library in ENVIRONMENTS:
        command = [str(python_of(network.library, environments_in(cache))), str(host.__file__)]
    else:
        command = [sys.executable, "-m", "benchmarks.peers.host"]
    with tempfile.TemporaryFile("w+") as chatter:
        process = subprocess.Popen([*command, *arguments], cwd=ROOT, text=True, stderr=chatter,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   env=os.environ | dict.fromkeys(_THREADS, str(threads)))
        try:
            assert process.stdout
            if not (line := process.stdout.readline()):
                chatter.seek(0)
                said = chatter.read().strip().splitlines() if process.wait() > 0 else []
                raise UsageError(f"{network.library} cannot run it "
                                 f"({(said or ['it crashed'])[-1].strip()})")
            yield Host(process, **json.loads(line))
        finally:
            process.communicate()  # closes its input, at which it ends


def peers_table(content: Mapping[str, Any]) -> str:
    """The results as Markdown tables."""
    results: Sequence[Mapping[str, Any]] = content["results"]
    least = min(r["median_ms"] for r in results if r["name"] in RECIPES)
    ours = (*RECIPES, PAIR, "front_end")

    def cells(result: Mapping[str, Any]) -> list[str]:
        name, size = result["name"], result["bytes"]
        # These do another thing than to look at a face of that size.
        apart = name in (PAIR, "front_end", "librosa", MOBILENET, f"tflite_runtime_{MOBILENET}")
        return [f"ours, {name}" if name in ours else name,
                f"{result['median_ms']:.2f}", f"{result['p90_ms']:.2f}",
                "-" if apart else f"{result['median_ms'] / least:.2f}",
                "-" if result["partitions"] is None else str(result["partitions"]),
                "-" if size is None else f"{size / 1e6:.2f}"]

    networks = table(["network", "median (ms)", "p90", "times the fastest of ours",
                      "XNNPACK partitions", "MB"], [cells(result) for result in results])
    ratios = table(["ratio of medians", "times"],
                   [[name, "-" if ratio is None else f"{ratio:.2f}"]
                    for name, ratio in content["ratios"].items()])
    return f"{networks}\n\n{ratios}"
