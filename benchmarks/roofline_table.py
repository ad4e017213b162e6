"""What `python -m benchmarks roofline` found, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edge_runtime.output import table

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
