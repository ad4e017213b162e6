"""Which recipe can be applied to which family, and what it brings there: every cell from a run.

The networks are untrained, for synthetic people, and techniques take a few steps: what is asked is
what converts and how fast it is then, not how well it tells people apart.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import keras

from benchmarks.cost.timing import conditions
from convert.bundle import Built, build, left_by_ladder
from convert.check.cost import medians_ms
from convert.prepare import Quantization, prepare
from convert.quantize.recipes import AUTO, SWEPT
from edge_runtime.dataset.collection import Collection
from edge_runtime.errors import ConversionError
from train.data import read_data
from train.models.build import make_spec
from train.models.registry import FAMILIES
from train.runs.folder import RunFolder, init, load_run
from train.sweep.plan import read_json, write_json
from train.synthetic import make_people

REFERENCE = "float32"
STEPS = 8  # of each training-time technique
PEOPLE, FILES = 4, 8

Say = Callable[[str], None]


def support(
    out: Path, families: Sequence[str] = tuple(FAMILIES), recipes: Sequence[str] = SWEPT, *,
    image_size: int = 64, say: Say = print, isolated: bool = True,
) -> dict[str, Any]:
    """Convert every family by every recipe. Returns what `support --json` prints.

    isolated: each family in a process of its own, whose crash is a cell of the table.
    out: keeps people, untrained runs and what is known so far; a table in it goes on. Times are of
    one thread, the recipes of a family in turn.
    """
    people = out / f"people{image_size}"
    if not people.is_dir():
        make_people(people, PEOPLE, faces_per_person=FILES, clips_per_person=FILES,
                    image_size=image_size)
    collection = read_data(people, image_size, seed=0)
    rows = []
    for family in families:
        names = [REFERENCE, *(name for name in recipes if name != REFERENCE)]
        file = out / f"{family}-{image_size}.json"
        row = read_json(file)
        if row is None or [cell["recipe"] for cell in row["recipes"]] != names:
            _untrained(out / f"{family}-{image_size}", family, collection, image_size)
            make = _survived if isolated else _row
            row = make(out / f"{family}-{image_size}", people, names, say)
            write_json(file, row)
        rows.append(row)
    return {"image_size": image_size, "people": PEOPLE, "steps": STEPS, "families": rows,
            "conditions": conditions(threads=1)}


def _untrained(path: Path, family: str, collection: Collection, image_size: int) -> RunFolder:
    if (path / "run.json").is_file():
        return load_run(path)
    return init(make_spec(family, collection.people.names, image_size), path, seed=0)


def _survived(run: Path, people: Path, recipes: Sequence[str], say: Say) -> dict[str, Any]:
    """The row, made by a child process; a recipe that it crashes at is left out of the next."""
    crashed: list[str] = []
    while True:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            try:
                return pool.submit(_row, run, people, recipes, _say_in_child, crashed).result()
            except BrokenProcessPool:
                crashed.append(_tried(run).read_text(encoding="utf-8"))
                say(f"{run.name}, {crashed[-1]}: crashed; once more without it")


def _say_in_child(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _tried(run: Path) -> Path:
    """Holds the name of the recipe that is tried."""
    return run.with_name(f"{run.name}.tried")


def _row(
    run: Path, people: Path, recipes: Sequence[str], say: Say, crashed: Sequence[str] = ()
) -> dict[str, Any]:
    folder = load_run(run)
    family, out = folder.run.spec.family, run.parent
    prepared = prepare(folder, read_data(people, folder.run.spec.image_size, seed=0))
    built: dict[str, Built] = {}
    reasons: dict[str, str] = {}
    for name in recipes:
        _tried(run).write_text(name, encoding="utf-8")
        try:
            if name in crashed:
                raise ConversionError(f"{family}: not supported: the process crashed while it "
                                      "quantized")
            left = (left_by_ladder(prepared, out / f"{family}-{name}", 1.0, say) if name == AUTO
                    else {})
            built[name] = build(prepared, Quantization(name, left=left, tuning_steps=STEPS))
        except ConversionError as error:
            reasons[name] = str(error)
        say(f"{family}, {name}: {reasons.get(name, 'converted')}")
        keras.utils.clear_session(free_memory=False)
    ms = medians_ms({name: found.models.values() for name, found in built.items()})
    return {"family": family,
            "parameters": sum(network.parameters for network in prepared.exported.values()),
            "recipes": [_cell(name, built.get(name), ms.get(name), ms[REFERENCE],
                              reasons.get(name)) for name in recipes]}


def _cell(
    name: str, built: Built | None, ms: float | None, float32_ms: float, reason: str | None
) -> dict[str, Any]:
    if built is None or ms is None:
        return {"recipe": name, "reason": reason}
    files = built.manifest.files.values()
    return {"recipe": name, "reason": None, "median_ms": round(ms, 3),
            "ratio_to_float32": round(float32_ms / ms, 3),
            "bytes": sum(file.bytes for file in files),
            "gzip_bytes": sum(file.gzip_bytes for file in files),
            "partitions": [file.xnnpack_partitions for file in files]}
