"""Which recipe can be applied to which family, and what it brings there: every cell from a run.

The networks are untrained, for synthetic people, and techniques take a few steps: what is asked is
what converts and how fast it is then, not how well it tells people apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from benchmarks.timing import conditions
from convert.bundle import Built, build, left_by_ladder
from convert.prepare import prepare
from convert.quantized import Quantization
from convert.recipes import AUTO, SWEPT
from convert.speed import medians_ms
from edge_runtime.collection import Collection
from edge_runtime.errors import ConversionError
from train.fit import init
from train.models.registry import FAMILIES
from train.pack import read_data
from train.run import RunFolder, load_run
from train.spec import make_spec
from train.sweep.settings import read_json, write_json
from train.synthetic import make_people

REFERENCE = "float32"
STEPS = 8  # of each training-time technique
PEOPLE, FILES = 4, 8

Say = Callable[[str], None]


def support(
    out: Path, families: Sequence[str] = tuple(FAMILIES), recipes: Sequence[str] = SWEPT, *,
    image_size: int = 64, say: Say = print,
) -> dict[str, Any]:
    """Convert every family by every recipe. Returns what `support --json` prints.

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
            row = _row(_untrained(out / f"{family}-{image_size}", family, collection, image_size),
                       collection, names, out, say)
            write_json(file, row)
        rows.append(row)
    return {"image_size": image_size, "people": PEOPLE, "steps": STEPS, "families": rows,
            "conditions": conditions(threads=1)}


def _untrained(path: Path, family: str, collection: Collection, image_size: int) -> RunFolder:
    if (path / "run.json").is_file():
        return load_run(path)
    return init(make_spec(family, collection.people.names, image_size), path, seed=0)


def _row(
    folder: RunFolder, collection: Collection, recipes: Sequence[str], out: Path, say: Say
) -> dict[str, Any]:
    family = folder.run.spec.family
    prepared = prepare(folder, collection)
    built: dict[str, Built] = {}
    reasons: dict[str, str] = {}
    for name in recipes:
        try:
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
