"""How far networks are from the least time that this machine could need for them, and why.

The floor is the sum over layers of max(2 * multiply-adds / peak, bytes / bandwidth). Both peaks are
measured in the interpreter, beside the networks; what is published for other processors stands in
the table too. The interpreter has no profile that Python can read; in its place each layer is timed
alone, see operations.py. That these times add up to the network's own is shown beside them
(`alone_ms`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.cost.graph import Layer, dense_model, read_layers, sum_model
from benchmarks.cost.latency import open_bundles
from benchmarks.cost.operations import alone_ms, call_of
from benchmarks.cost.timing import Distribution, clock_of, conditions, interleaved_ms
from edge_runtime.console.output import table
from edge_runtime.errors import UsageError

PEAK_RUNS = 20
WORST = 5


def measure_roofline(
    paths: Sequence[Path], *, threads: int = 1, rounds: int = 200
) -> dict[str, Any]:
    """Work, floor and time of each network: {"results": [...], "peak": {...}, "conditions": {...}}.

    Times are in milliseconds, of `rounds` runs with the networks in turn; half of the runs by which
    the peak is measured come before them and half after. A bundle's total is its networks one after
    the other.
    """
    if rounds < 1 or threads < 1:
        raise UsageError("--rounds and --threads expect a number of at least 1")
    bundles = open_bundles(paths)
    models = {(name, part): model for name, bundle in bundles.items()
              for part, model in bundle.models.items()}
    tasks = {key: call_of(model, threads) for key, model in models.items()}
    before = _peak_ms(threads)
    times = interleaved_ms(tasks, rounds, clock_of(threads))
    after = _peak_ms(threads)
    peak = Peak.best_of({name: before[name] + after[name] for name in before})
    results = [
        {"name": name, "family": bundle.manifest.family, "recipe": bundle.manifest.recipe,
         "networks": {part: _network(model, times[name, part], peak, threads)
                      for part, model in bundle.models.items()}}
        for name, bundle in bundles.items()]
    return {"results": [_with_totals(result) for result in results], "peak": _rounded(peak),
            "published": {name: _rounded(core.peak) for name, core in PUBLISHED.items()},
            "conditions": conditions(threads) | {"rounds": rounds, "clock": (
                "processor time" if threads == 1 else "wall")}}


def _peak_ms(threads: int) -> dict[str, list[float]]:
    """One after the other: a product of large matrices leaves nothing of a row in a cache."""
    return {name: interleaved_ms({name: task}, PEAK_RUNS // 2, clock_of(threads))[name]
            for name, task in peak_tasks(threads).items()}


def _rounded(peak: Peak) -> dict[str, float]:
    return {key: round(value, 1) for key, value in asdict(peak).items()}


def _network(
    model: bytes, times_ms: Sequence[float], peak: Peak, threads: int
) -> dict[str, Any]:
    layers = read_layers(model)
    floors = [peak.floor_ms(layer) for layer in layers]
    alone = [ms if layer.bytes else 0.0
             for layer, (_, ms) in zip(layers, alone_ms(model, threads), strict=True)]
    spread = Distribution.of(times_ms)
    floor = sum(floors)
    # By the figures that are given, or two that are equal but for rounding stand in disorder.
    worst = sorted(range(len(layers)), key=lambda i: round(floors[i], 4) - round(alone[i], 4))[
        :WORST]
    kinds = sorted({layer.kind for layer in layers})

    def total(values: Iterable[float], kind: str) -> float:
        return sum(value for value, layer in zip(values, layers, strict=True) if layer.kind == kind)

    by_kind = {kind: {"count": sum(layer.kind == kind for layer in layers),
                      "macs": int(total((layer.macs for layer in layers), kind)),
                      "bytes": int(total((layer.bytes for layer in layers), kind)),
                      "floor_ms": round(total(floors, kind), 4),
                      "alone_ms": round(total(alone, kind), 4)} for kind in kinds}
    return {
        "macs": sum(layer.macs for layer in layers),
        "int8_macs": sum(layer.macs for layer in layers if layer.int8),
        "bytes": sum(layer.bytes for layer in layers), "floor_ms": round(floor, 4),
        "median_ms": spread.median_ms, "min_ms": spread.min_ms,
        "ratio": round(spread.median_ms / floor, 3), "alone_ms": round(sum(alone), 4),
        "kinds": dict(sorted(by_kind.items(), key=lambda item: -item[1]["alone_ms"])),
        "worst": [{"kind": layers[i].kind, "name": _short(layers[i].name),
                   "macs": layers[i].macs, "bytes": layers[i].bytes,
                   "floor_ms": round(floors[i], 4), "alone_ms": round(alone[i], 4)} for i in worst],
        "predicted_ms": {name: round(sum(map(core.peak.floor_ms, layers)), 2)
                         for name, core in PUBLISHED.items()}}


def _short(name: str) -> str:
    """Converters join the names of all that was fused into an operation: the last that says
    something, without the network's own."""
    named = [part for part in name.split(";") if "/" in part] or [name]
    return "/".join(named[0].split("/")[1:]) or named[0]


def _with_totals(result: dict[str, Any]) -> dict[str, Any]:
    networks = result["networks"].values()
    keys = ("macs", "int8_macs", "bytes", "floor_ms", "median_ms")
    total = {key: round(sum(network[key] for network in networks), 4) for key in keys}
    predicted = {name: round(sum(network["predicted_ms"][name] for network in networks), 2)
                 for name in PUBLISHED}
    return result | {"total": total | {"ratio": round(total["median_ms"] / total["floor_ms"], 3),
                                       "predicted_ms": predicted}}


TOP_KINDS = 5


def roofline_tables(content: Mapping[str, Any]) -> str:
    """Distance from the floor, what makes it up, the worst layers, and floors of other devices."""
    known, peak = content["conditions"], content["peak"]
    plural = "s" * (known["threads"] > 1)
    return "\n\n".join([
        f"{known['cpu']}, {known['threads']} thread{plural}, {known['interpreter']}, load "
        f"{known['load']}; times by {known['clock']}. Peak, measured beside the networks: "
        f"{peak['float32']:.0f} GFLOP/s in float32, {peak['int8']:.0f} GOP/s in int8, "
        f"{peak['bandwidth']:.0f} GB/s.",
        _distances(content),
        "What is above the floor, in milliseconds, the kinds of operation that are furthest from "
        "it first; *between layers* is what the whole network takes beyond its layers timed one "
        "by one, each alone as a model of one operation (the interpreter gives no profile):",
        _gaps(content), "The five layers of each network that are furthest from their floor:",
        _worst(content),
        "**Predicted**, not measured: the floors of one core by published peaks, in milliseconds, "
        "all tensors taken from memory. What a network really takes there has to be measured.",
        _predicted(content)])


def _networks(content: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for result in content["results"]:
        for part, network in result["networks"].items():
            yield result["recipe"], part, network


def _distances(content: Mapping[str, Any]) -> str:
    rows = []
    for result in content["results"]:
        total = ("both", result["total"]) if len(result["networks"]) > 1 else None
        for part, found in [*result["networks"].items(), *([total] if total else [])]:
            rows.append([result["recipe"], part, f"{found['macs'] / 1e6:.1f}",
                         f"{100 * found['int8_macs'] / found['macs']:.0f}",
                         f"{found['bytes'] / 1e6:.1f}", f"{found['floor_ms']:.2f}",
                         f"{found['median_ms']:.2f}", f"{found['ratio']:.2f}"])
    return table(["recipe", "network", "million multiply-adds", "of them int8 (%)", "MB moved",
                  "floor (ms)", "median (ms)", "times the floor"], rows)


def _gaps(content: Mapping[str, Any]) -> str:
    rows = []
    for recipe, part, network in _networks(content):
        gaps = {kind: found["alone_ms"] - found["floor_ms"]
                for kind, found in network["kinds"].items()}
        ordered = sorted(gaps, key=lambda kind: -gaps[kind])
        rest = sum(gaps[kind] for kind in ordered[TOP_KINDS:])
        rows.append([recipe, part, f"{network['median_ms'] - network['floor_ms']:.2f}",
                     ", ".join(f"{kind} {gaps[kind]:.2f}" for kind in ordered[:TOP_KINDS]),
                     f"{rest:.2f}", f"{network['median_ms'] - network['alone_ms']:.2f}"])
    return table(["recipe", "network", "above the floor (ms)", "kinds", "other kinds",
                  "between layers"], rows)


def _worst(content: Mapping[str, Any]) -> str:
    return table(
        ["recipe", "network", "layer", "operation", "million multiply-adds", "KB moved",
         "floor (ms)", "alone (ms)"],
        [[recipe, part, f"`{layer['name']}`", layer["kind"], f"{layer['macs'] / 1e6:.2f}",
          f"{layer['bytes'] / 1e3:.0f}", f"{layer['floor_ms']:.3f}", f"{layer['alone_ms']:.3f}"]
         for recipe, part, network in _networks(content) for layer in network["worst"]])


def _predicted(content: Mapping[str, Any]) -> str:
    rows = [[device, f"{peak['float32']:.0f}", f"{peak['int8']:.0f}", f"{peak['bandwidth']:.1f}",
             *(f"{result['total']['predicted_ms'][device]:.1f}" for result in content["results"])]
            for device, peak in content["published"].items()]
    return table(["one core of", "GFLOP/s", "int8 GOP/s", "GB/s",
                  *(f"{result['recipe']}, predicted" for result in content["results"])], rows)


SIDE = 1024  # of the matrices multiplied
# Bytes of a sum's two terms and itself. The quickest counts, so that what a layer finds in a cache
# is not held to be slower than it can be.
MOVED = (3 << 14, 3 << 16, 3 << 18, 3 << 20, 3 << 22)


@dataclass(frozen=True)
class Peak:
    """Of one core: float32 in GFLOP/s, int8 in GOP/s (two for a multiply-add), bandwidth
    in GB/s."""

    float32: float
    int8: float
    bandwidth: float

    def floor_ms(self, layer: Layer) -> float:
        """No machine of this peak runs the layer in less: Williams et al., Roofline, 2009."""
        work = 2 * layer.macs / (self.int8 if layer.int8 else self.float32)
        return max(work, layer.bytes / self.bandwidth) / 1e6

    @classmethod
    def best_of(cls, times_ms: Mapping[str, Sequence[float]]) -> Peak:
        """By the quickest run of each of `peak_tasks`."""
        least = {name: min(times) for name, times in times_ms.items()}
        work = 2 * SIDE**3 / 1e6
        return cls(work / least["float32"], work / least["int8"],
                   max(size / 1e6 / least[f"sum of {size}"] for size in MOVED))


def peak_tasks(threads: int) -> dict[str, Callable[[], object]]:
    """A product of two matrices in float32 and in int8, and sums of two rows of float32."""
    models = {"float32": dense_model(SIDE, int8=False), "int8": dense_model(SIDE, int8=True),
              **{f"sum of {size}": sum_model(size // 12) for size in MOVED}}
    return {name: call_of(model, threads) for name, model in models.items()}


@dataclass(frozen=True)
class Core:
    """flops, int8_ops: in one clock (Arm's Software Optimization Guides: pipes of 128 bits, two
    for a multiply-add; int8 counts the dot-product instructions, and where there are none, as on
    Cortex-A53 and A72, int8 is no faster than float32). bandwidth: of the whole memory, GB/s."""

    ghz: float
    flops: int
    int8_ops: int
    bandwidth: float

    @property
    def peak(self) -> Peak:
        return Peak(self.ghz * self.flops, self.ghz * self.int8_ops, self.bandwidth)


PUBLISHED = {
    "Raspberry Pi Zero 2 W (Cortex-A53, LPDDR2-900)": Core(1.0, 8, 8, 3.6),
    "Raspberry Pi 3 B+ (Cortex-A53, LPDDR2-900)": Core(1.4, 8, 8, 3.6),
    "Raspberry Pi 4 (Cortex-A72, LPDDR4-3200)": Core(1.5, 8, 8, 12.8),
    "Raspberry Pi 5 (Cortex-A76, LPDDR4X-4267)": Core(2.4, 16, 64, 17.1),
    "phone, small core (Cortex-A55, LPDDR4X-3733)": Core(1.82, 8, 32, 14.9),
    "phone, large core (Cortex-X1, LPDDR5-6400)": Core(2.84, 32, 128, 51.2),
}
