"""The README's tables, generated from the result files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.gallery import gallery_conditions, gallery_table
from benchmarks.open_set import open_set_text
from benchmarks.peers.measure import peers_table
from benchmarks.recipes import recipes_table
from benchmarks.support import support_table
from benchmarks.timing import ROOT
from edge_runtime.command import percent, table
from edge_runtime.doctor.examine import PROBLEMS
from edge_runtime.errors import UsageError

RESULTS = ROOT / "benchmarks" / "results"
COLUMNS = ("voice", "face", "ensemble", "scaled")

_SWEEP_COLUMNS = {"voice": "voice", "face": "face", "ensemble": "sum", "scaled": "scaled",
                  "fused": "fused"}

# What evaluate --json printed, by the name of its file.
_ACCURACY_ROWS = {
    "people30": "people30, clean",
    "kiosk95": "kiosk95, clean",
    "kiosk95-snr5": "kiosk95, noise at 5 dB SNR",
}


def update_readme(readme: Path, results: Path = RESULTS) -> str:
    """The README's text with every table between its marks made anew.

    Raises UsageError where the README has no place for a table.
    """
    text = readme.read_text(encoding="utf-8")
    for name, content in (("accuracy", accuracy_table(results)), ("cost", cost_table(results)),
                          ("families", families_tables(results)),
                          ("recipes", recipes_tables(results)), ("peers", peers(results)),
                          ("support", support(results)), ("gallery", gallery(results)),
                          ("open set", open_sets(results)), ("doctor", doctor_table())):
        mark = f"<!-- table: {name} -->\n"
        before, found, rest = text.partition(mark)
        if not found:
            raise UsageError(f"{readme}: expected the mark '{mark.strip()}', found none")
        text = before + mark + content + "\n" + rest[rest.index("<!-- /table -->") :]
    return text


def accuracy_table(results: Path = RESULTS) -> str:
    """Accuracy per column with 95 % intervals, the source experiment's beside it."""
    source = _read(results / "source-experiment.json")
    rows = [["source experiment, its own 95 people", str(source["pairs"]),
             *(percent(source["accuracy"].get(column)) for column in COLUMNS)]]
    for name, label in _ACCURACY_ROWS.items():
        if not (results / f"{name}.json").is_file():
            rows.append([label, "not run", *("-" for _ in COLUMNS)])
            continue
        content = _read(results / f"{name}.json")
        rows.append([f"{label} (`{content['model']}`, seed {content['seed']})",
                     str(content["pairs"]), *(_with_interval(content, c) for c in COLUMNS)])
    header = ["test accuracy in % (95 % interval over people)", "pairs", "voice", "face", "sum",
              "scaled"]
    return table(header, rows)


def cost_table(results: Path = RESULTS) -> str:
    """Latency and size of the bundles measured last on the machine named below the table."""
    files = [results / "latency.json", results / "size.json"]
    if not all(file.is_file() for file in files):
        return "Latency and size at 95 people: not run."
    latency, size = (_read(file) for file in files)
    bytes_of = {result["name"]: result for result in size["results"]}
    rows = []
    for result in latency["results"]:
        parts = " + ".join(f"{result['median_ms'][part]:.2f}" for part in result["median_ms"]
                           if part != "total")
        sizes = bytes_of[result["name"]]
        cold = result["cold"]
        rows.append([f"`{result['recipe']}`", parts, f"{result['median_ms']['total']:.2f}",
                     f"{result['p90_ms']['total']:.2f}",
                     f"{sizes['bytes']['total'] / 1e6:.2f}",
                     f"{sizes['gzip_bytes']['total'] / 1e6:.2f}",
                     f"{cold['import_ms'] + cold['load_ms'] + cold['first_ms']:.0f}",
                     f"{cold['peak_mib']:.0f}"])
    known = latency["conditions"]
    installed = size["installed"]["bytes"]["total"] / 1e6
    return "\n".join([
        table(["recipe", "face + voice (ms)", "both (ms)", "p90", "MB", "MB gzip",
               "cold start (ms)", "memory (MiB)"], rows), "",
        f"One inference of both `{latency['results'][0]['family']}` networks at 95 people, "
        f"{known['threads']} thread, {known['cpu']}, {known['interpreter']}, recipes in turn in "
        f"one process. Everything a device has to install is {installed:.0f} MB."])


def recipes_tables(results: Path = RESULTS) -> str:
    """A table for each sweep over recipes that was run."""
    return "\n\n".join(recipes_table(_read(file)).strip()
                       for file in sorted(results.glob("recipes-*.json"))) or "Recipes: not run."


def peers(results: Path = RESULTS) -> str:
    """Our face networks beside what others would use."""
    if not (results / "peers.json").is_file():
        return "Peers: not run."
    content = _read(results / "peers.json")
    known = content["conditions"]
    return (f"{peers_table(content)}\n\nOne face of {content['image_size']} pixels, untrained "
            f"MobileViT-XXS networks for 95 people, {known['threads']} thread, {known['cpu']}, "
            f"{known['interpreter']}, in turn in one process.")


def support(results: Path = RESULTS) -> str:
    """Which recipe can be applied to which family."""
    file = results / "support.json"
    return support_table(_read(file)).strip() if file.is_file() else "Recipes by family: not run."


def gallery(results: Path = RESULTS) -> str:
    """A search among enrolled people."""
    if not (results / "gallery.json").is_file():
        return "Searching enrolled people: not run."
    content = _read(results / "gallery.json")
    return f"{gallery_table(content)}\n\n{gallery_conditions(content)}"


def doctor_table() -> str:
    """What `visavox doctor` looks for, by its registry of checks."""
    return "\n".join(["| found as | | what |", "|---|---|---|", *(
        f"| `{problem.code}` | {problem.severity} | {problem.what} |" for problem in PROBLEMS)])


def open_sets(results: Path = RESULTS) -> str:
    """People enrolled later and strangers, clean and in noise."""
    parts = [open_set_text(_read(file))
             for file in sorted(results.glob("open-set-*.json"), key=lambda file: file.stem)]
    return "\n\n".join(parts) or "People enrolled later: not run."


def families_tables(results: Path = RESULTS) -> str:
    """A table for each sweep that was run, the source experiment's rows above ours."""
    parts = [_families_table(_read(results / "source-experiment.json"), _read(file))
             for file in sorted(results.glob("sweep-*.json"))]
    return "\n\n".join(parts) or "Families and fusions: not run."


def _families_table(source: dict[str, Any], sweep: dict[str, Any]) -> str:
    noisy = sweep["snr_db"] is not None
    in_noise = [f"best column / sum or fused at {sweep['snr_db']:g} dB"] if noisy else []
    header = ["", "fusion", "parameters", *_SWEEP_COLUMNS.values(), *in_noise, "seeds"]
    rows = [[f"source: {row['row']}", row["fusion"], _millions(row), *_shares(row),
             *(["-"] if noisy else []), "1"] for row in source["rows"]]
    rows += [[f"`{row['row']}`", row["fusion"], _millions(row), *_shares(row),
              *([_in_noise(row)] if noisy else []), str(len(row["seeds"]))]
             for row in sweep["rows"] if row["test"]]
    missing = [f"`{row['row']}` {row['reason']}" for row in sweep["rows"] if not row["test"]]
    mark = " (synthetic people)" if sweep["synthetic"] else ""
    return "\n".join([
        f"{sweep['data']}{mark}, train / test accuracy in %; the source's figures are of its own "
        "data:", "", table(header, rows), *(["", "; ".join(missing) + "."] if missing else [])])


def _millions(row: dict[str, Any]) -> str:
    return f"{row['parameters'] / 1e6:.1f}M"


def _shares(row: dict[str, Any]) -> list[str]:
    """Train / test by column, with the spread over the seeds where there are several."""
    cells = []
    for column in _SWEEP_COLUMNS:
        train, test = (row[split].get(column) for split in ("train", "test"))
        spread = (row.get("test_spread") or {}).get(column)
        cells.append("-" if test is None else f"{percent(train)} / {percent(test)}"
                     + (f" ± {percent(spread)}" if spread is not None else ""))
    return cells


def _in_noise(row: dict[str, Any]) -> str:
    shares = row["noisy"]
    if not shares:
        return "-"
    if shares["fused"] is not None:
        return f"- / {percent(shares['fused'])}"
    return f"{percent(max(shares['voice'], shares['face']))} / {percent(shares['ensemble'])}"


def _with_interval(content: dict[str, Any], column: str) -> str:
    low, high = content["interval"][column]
    return f"{percent(content['accuracy'][column])} ({percent(low)} to {percent(high)})"


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UsageError(f"{path}: the result file is missing; benchmarks/README.md says how to "
                         "make it")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
