"""All that one device is asked for, in one file: latency, size, and distance from the floor."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.latency import measure_latency
from benchmarks.roofline import measure_roofline
from benchmarks.size import measure_size
from benchmarks.timing import cpu_name
from benchmarks.untrained import Say
from edge_runtime.errors import UsageError
from edge_runtime.output import table


def device_name() -> str:
    """What the board or the processor calls itself, as the name of a file."""
    return re.sub(r"[^a-z0-9]+", "-", cpu_name().lower()).strip("-") or "device"


def measure_all(paths: Sequence[Path], *, rounds: int = 200, say: Say = print) -> dict[str, Any]:
    """What `latency`, `size` and `roofline` find, by their names, and the device's own.

    roofline is null where the schema of .tflite files, which ai-edge-litert ships, is missing. Of
    bundles the folder's name is kept, and not where it lies: the file is made to be shared.
    """
    names = {str(path): path.resolve().name for path in paths}
    if len(set(names.values())) < len(paths):
        raise UsageError("expected bundles in folders of different names, found "
                         f"{', '.join(names.values())}")
    say("latency")
    found: dict[str, Any] = {"latency": measure_latency(paths, rounds=rounds)}
    say("size")
    found["size"] = measure_size(paths, tensorflow=False)
    say("roofline")
    try:
        found["roofline"] = measure_roofline(paths, rounds=rounds)
    except UsageError as error:
        say(f"roofline left out: {error}")
        found["roofline"] = None
    for part in found.values():
        for result in part["results"] if part else ():
            result["name"] = names[result["name"]]
    return {"device": device_name(), **found}


def devices_table(devices: Mapping[str, dict[str, Any]]) -> str:
    """A row for each bundle on each device, by the name of its result file."""
    rows = [row for name, content in devices.items() for row in _device_rows(name, content)]
    return table(["device", "recipe", "both (ms)", "p90", "cold start (ms)", "memory (MiB)", "MB",
                  "times the floor", "interpreter", "date"], rows)


def _device_rows(name: str, content: dict[str, Any]) -> list[list[str]]:
    sizes = {result["name"]: result for result in content["size"]["results"]}
    floors = {result["name"]: result["total"]["ratio"]
              for result in (content["roofline"] or {"results": []})["results"]}
    rows = []
    for result in content["latency"]["results"]:
        bundle, cold = result["name"], result["cold"]
        floor = floors.get(bundle)
        rows.append([name, result["recipe"], f"{result['median_ms']['total']:.2f}",
                     f"{result['p90_ms']['total']:.2f}",
                     f"{cold['import_ms'] + cold['load_ms'] + cold['first_ms']:.0f}",
                     f"{cold['peak_mib']:.0f}", f"{sizes[bundle]['bytes']['total'] / 1e6:.2f}",
                     "-" if floor is None else f"{floor:.2f}",
                     content["latency"]["conditions"]["interpreter"], content["made_by"]["date"]])
    return rows
