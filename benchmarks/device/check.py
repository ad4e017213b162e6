"""Bundles on emulated devices and here: the same decisions, the same outputs, at what count?

Kernels of two processors round float32 differently in the last bit. A float network passes that on
as it is; one that quantizes as it goes amplifies it to a step of int8, as it does on one machine
where an input is rounded differently. So outputs agree where they differ by no more than
FLOAT_LIMIT, or than MARGIN times what the network's own outputs move here by such a rounding.
"""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.cost.timing import cpu_name
from benchmarks.device.debian import root_file_system
from benchmarks.device.emulator import DEVICES, Device, Emulator, find_emulator, with_counter
from benchmarks.device.examples import drawn_examples, people_examples
from benchmarks.device.run import Job, Probed, here, on_device
from benchmarks.device.wheels import (
    RUNTIMES,
    Runtime,
    build_wheel,
    has_wheels_here,
    install_requirements,
    install_wheel,
)
from edge_runtime.bundle.manifest import Manifest
from edge_runtime.bundle.networks import load_bundle
from edge_runtime.errors import BundleError, UsageError, VisavoxError

FLOAT_LIMIT = 1e-6
MARGIN = 4

Row = dict[str, Any]


def measure_device(
    bundles: Sequence[Path], *, cache: Path, data: Path | None = None, pairs: int = 3,
    allow_uncertified: bool = False, say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """{"results": a row for each bundle, device and interpreter, "left_out": why there are no
    others, "conditions"}.

    data: people whose test files are tried; drawn ones unless given. say: is told at once what is
    left out. UsageError where nothing at all can be tried.
    """
    left_out: list[str] = []

    def leave_out(error: object) -> None:
        left_out.append(str(error))
        say(str(error))

    manifests = _manifests(bundles, allow_uncertified, leave_out)
    emulator = find_emulator()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        try:
            emulator = with_counter(emulator, work)
        except UsageError as error:
            leave_out(error)
        examples = people_examples(data, pairs) if data else drawn_examples(work, pairs)
        check = _Check(emulator, build_wheel(work), cache, Job(examples, work), leave_out)
        results = [row for runtime in RUNTIMES for row in check.rows(runtime, manifests)]
    if not results:
        raise UsageError("nothing was tried; see the lines above")
    return {"results": results, "left_out": left_out, "conditions": {
        "cpu": cpu_name(), "machine": platform.machine(), "python": platform.python_version(),
        "emulator": f"QEMU {emulator.version}", "examples": len(examples),
        "data": data.name if data else "drawn"}}


def _manifests(
    bundles: Sequence[Path], allow_uncertified: bool, leave_out: Callable[[object], None]
) -> dict[str, Manifest]:
    """By the bundle's path as it was given."""
    manifests = {}
    for path in bundles:
        try:
            manifests[str(path)] = load_bundle(
                path, allow_uncertified=allow_uncertified).manifest
        except BundleError as error:
            leave_out(error)
    if not manifests:
        raise UsageError("no bundle is left to be tried; see the lines above")
    return manifests


@dataclass(frozen=True)
class _Check:
    """What all devices and interpreters share."""

    emulator: Emulator
    wheel: Path
    cache: Path
    job: Job
    leave_out: Callable[[object], None]

    def rows(self, runtime: Runtime, manifests: Mapping[str, Manifest]) -> list[Row]:
        """Of the bundles that are made for an interpreter, on every device that has it."""
        names = [name for name, manifest in manifests.items()
                 if runtime.package in manifest.interpreters]
        if not names:
            return []
        try:
            expected = self._here(runtime, names)
        except UsageError as error:
            self.leave_out(f"{runtime.package} on this machine: {error}")
            return []
        probed: dict[str, Probed] = {}
        rows = []
        for device in DEVICES:
            if runtime.pythons and device.python not in runtime.pythons:
                continue
            try:
                found = self._there(device, runtime, names)
            except VisavoxError as error:
                self.leave_out(f"{device.cpu}, {runtime.package}: {error}")
                continue
            for name in names:
                reason = expected.errors.get(name) or found.errors.get(name)
                if reason:
                    self.leave_out(f"{device.cpu}, {runtime.package}, {name}: {reason}")
                    continue
                rows.append(_row(name, manifests[name], device, found, expected)
                            | {"equal_to": _equal_to(name, found, {"here": expected} | probed)})
            probed[device.cpu] = found
        return rows

    def _here(self, runtime: Runtime, names: Sequence[str]) -> Probed:
        if not has_wheels_here(runtime):
            raise UsageError(f"expected Python {' or '.join(runtime.pythons)}, which it has wheels "
                             f"for, found {platform.python_version()}; not compared")
        packages = (install_requirements(self.wheel, runtime, None, self.cache)
                    if runtime.instead else None)
        return self.job.run(here(packages), names, f"{runtime.package} here: bundle",
                            own_moves=True)

    def _there(self, device: Device, runtime: Runtime, names: Sequence[str]) -> Probed:
        root = root_file_system(device, self.cache)
        packages = install_requirements(self.wheel, runtime, device, self.cache)
        ours = self.job.work / f"{runtime.package}-{device.cpu}"
        install_wheel(self.wheel, ours, device)
        probed = self.job.run(on_device(self.emulator, device, root, [ours, packages]), names,
                              f"{device.cpu}, {runtime.package}: bundle", own_moves=False)
        assert Path(probed.about["package"]).is_relative_to(ours)
        return probed


def _row(
    name: str, manifest: Manifest, device: Device, found: Probed, expected: Probed
) -> Row:
    there, reference = found.found[name], expected.found[name]
    differences = _differences(there["outputs"], reference["outputs"])
    moves = reference["own_moves"]
    face = manifest.inputs.face
    same = sum(a == b for a, b in zip(there["decisions"], reference["decisions"], strict=True))
    return {
        "name": name, "family": manifest.family, "recipe": manifest.recipe,
        "people": len(manifest.people), "image_size": face.size if face else None,
        "sha256": {part: file.sha256 for part, file in manifest.files.items()},
        "certified": manifest.certified, "cpu": device.cpu, "board": device.board,
        "python": device.python, "dot_product": device.dot_product, **{
            key: found.about[key] for key in ("interpreter", "numpy")},
        "reference": expected.about["interpreter"],
        "decisions": len(there["decisions"]), "same_decisions": same,
        "largest_difference": differences, "own_move": moves,
        "agrees": all(difference <= max(FLOAT_LIMIT, MARGIN * moves[part][key])
                      for part, keys in differences.items() for key, difference in keys.items()),
        **_instructions(found.counts.get(name))}


def _instructions(counts: Mapping[str, Sequence[float]] | None) -> Row:
    """Millions of an inference; spread: of the two counts, the largest relative difference."""
    if not counts:
        return {"million_instructions": None, "spread": None}
    millions = {part: round(median(values) / 1e6, 4) for part, values in counts.items()}
    return {"million_instructions": millions | {"total": round(sum(millions.values()), 4)},
            "spread": max((max(values) - min(values)) / min(values)
                          for values in counts.values())}


def _differences(
    found: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, float]]:
    """The largest over the examples, by network, of scores and of the embedding."""
    return {part: {key: max(float(np.abs(np.subtract(a[part][key], b[part][key])).max())
                            for a, b in zip(found, expected, strict=True))
                   for key in ("scores", "embedding")} for part in expected[0]}


def _equal_to(name: str, found: Probed, others: Mapping[str, Probed]) -> list[str]:
    """Where every output is the same to the last bit."""
    return [where for where, other in others.items() if name in other.found
            and other.found[name]["outputs"] == found.found[name]["outputs"]]
