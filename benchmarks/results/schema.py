"""Result files: what the commands print with `--json`, read by a schema.

A key that the tables need is required and has its type; more keys are welcome. A file of another
version of the schema, or a damaged one, is refused in one line, and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from edge_runtime.console.output import SCHEMA, result_text
from edge_runtime.errors import UsageError

RESULTS = Path(__file__).parent
Times = dict[str, float]
Shares = dict[str, float | None]
Intervals = dict[str, tuple[float, float]]


class MadeBy(msgspec.Struct, forbid_unknown_fields=True):
    """The command, without where its files lie, the version of Visavox, and the day."""

    command: str
    version: str
    date: str


class Head(msgspec.Struct):
    """What every result file says of itself; the rest is by its kind."""

    schema: Literal[1]
    kind: str
    made_by: MadeBy


class Conditions(msgspec.Struct):
    cpu: str
    interpreter: str
    threads: int | list[int]


class Evaluated(msgspec.Struct):
    pairs: int
    model: str
    seed: int
    accuracy: Shares
    interval: Intervals


class Warm(msgspec.Struct):
    name: str
    family: str
    recipe: str
    median_ms: Times
    p90_ms: Times
    cold: dict[str, float]


class Latency(msgspec.Struct):
    results: list[Warm]
    conditions: Conditions


class Sustained(msgspec.Struct):
    points: list[dict[str, Any]]
    conditions: Conditions


class BundleSize(msgspec.Struct):
    name: str
    recipe: str
    bytes: dict[str, int]
    gzip_bytes: dict[str, int]


class Size(msgspec.Struct):
    results: list[BundleSize]
    installed: dict[str, Any]


class Peer(msgspec.Struct):
    name: str
    median_ms: float
    p90_ms: float


class Peers(msgspec.Struct):
    results: list[Peer]
    ratios: dict[str, float | None]
    conditions: Conditions


class Search(msgspec.Struct):
    people: int
    median_ms: float
    p90_ms: float
    p99_ms: float
    min_ms: float
    fill_ms: float
    index_mib: float


class Gallery(msgspec.Struct):
    results: list[Search]
    num_top: int
    embedding_dim: int
    conditions: Conditions


class OpenSet(msgspec.Struct):
    data: str
    snr_db: float | None
    enrolled: int
    strangers: int
    files_each: int
    probes: dict[str, int]
    columns: dict[str, dict[str, Any]]


class Rung(msgspec.Struct):
    condition: str
    blur: float
    light: float
    snr_db: float | None
    people: int
    accuracy: dict[str, float]
    interval: Intervals


class Ladders(msgspec.Struct):
    data: str
    recipe: str
    people: int
    pairs: int
    rows: list[Rung]
    open_set: dict[str, Any] | None
    open_set_reason: str | None


class NetworkRoofline(msgspec.Struct):
    macs: int
    bytes: int
    floor_ms: float
    median_ms: float
    alone_ms: float
    ratio: float
    kinds: dict[str, dict[str, float]]
    worst: list[dict[str, Any]]


class BundleRoofline(msgspec.Struct):
    name: str
    recipe: str
    networks: dict[str, NetworkRoofline]
    total: dict[str, Any]


class Roofline(msgspec.Struct):
    results: list[BundleRoofline]
    peak: dict[str, float]
    published: dict[str, dict[str, float]]
    conditions: Conditions


class Recipe(msgspec.Struct):
    recipe: str
    reason: str | None


class Recipes(msgspec.Struct):
    family: str
    data: str
    people: int
    combinations: int
    recipes: list[Recipe]
    conditions: Conditions


class Families(msgspec.Struct):
    data: str
    rows: list[dict[str, Any]]


class Support(msgspec.Struct):
    people: int
    families: list[dict[str, Any]]
    conditions: Conditions


class Source(msgspec.Struct):
    pairs: int
    accuracy: Shares
    rows: list[dict[str, Any]]


class Device(msgspec.Struct):
    """Everything that one device was measured for, each part as its command prints it."""

    device: str
    latency: Latency
    size: Size
    roofline: Roofline | None


class Emulated(msgspec.Struct):
    results: list[dict[str, Any]]
    left_out: list[Any]
    conditions: dict[str, Any]


class KioskLoad(msgspec.Struct):
    minutes: float
    rate: float
    pages: int
    requests: int
    messages: int
    picture_mib: float
    errors: dict[str, int]
    times: dict[str, Times]
    settled_after_s: float
    settled_mib: float
    end_mib: float
    growth: float
    cores: float
    conditions: Conditions


KINDS: dict[str, type[msgspec.Struct]] = {
    "train evaluate": Evaluated, "train sweep": Families, "convert sweep": Recipes,
    "convert support": Support, "benchmarks latency": Latency, "benchmarks size": Size,
    "benchmarks sustained": Sustained,
    "benchmarks peers": Peers, "benchmarks gallery": Gallery, "benchmarks open-set": OpenSet,
    "benchmarks accuracy": Ladders, "benchmarks roofline": Roofline, "benchmarks all": Device,
    "benchmarks device": Emulated, "benchmarks kiosk": KioskLoad,
    "source experiment": Source,
}


def read_result(path: Path) -> dict[str, Any]:
    """A result file's content. UsageError where it is missing, damaged or of another schema."""
    if not path.is_file():
        raise UsageError(f"{path}: the result file is missing; docs/measurements/reproduce.md "
                         "says how to make it")
    try:
        content = msgspec.json.decode(path.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: expected a result file in JSON, found {error}; measure it anew"
                         ) from None
    check_result(str(path), content)
    found: dict[str, Any] = content
    return found


def check_result(name: str, content: Any) -> None:
    """UsageError that names the key at fault, and how to make the file anew."""
    found = content.get("schema") if isinstance(content, Mapping) else None
    if found != SCHEMA or isinstance(found, bool):
        raise UsageError(f"{name}: expected a result file of schema {SCHEMA}, found "
                         f"{'none' if found is None else found}; measure it anew with this version")
    kind = KINDS.get(str(content.get("kind")))
    if kind is None:
        raise UsageError(f"{name}: expected a result of {', '.join(KINDS)}, found "
                         f"'{content.get('kind')}'")
    try:
        msgspec.convert(content, Head)
        msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{name}: {error}; measure it anew ('{content['kind']}')") from None


def read_results(folder: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Every result file of a folder by its name, and a line for each that was refused."""
    results, problems = {}, []
    for file in sorted(folder.glob("*.json")):
        try:
            results[file.stem] = read_result(file)
        except UsageError as error:
            problems.append(str(error))
    return results, problems


def write_result(path: Path, content: Mapping[str, Any]) -> None:
    """As a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(result_text(content) + "\n", encoding="utf-8")
    partial.replace(path)
