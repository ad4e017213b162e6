"""The tables of README.md and docs/, generated from the result files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.cost.roofline import roofline_tables
from benchmarks.cost.timing import ROOT
from benchmarks.device.table import device_section
from benchmarks.kiosk.measure import kiosk_table
from benchmarks.peers.measure import peers_table
from benchmarks.recognition.accuracy import ladder_tables
from benchmarks.recognition.open_set import open_set_text
from benchmarks.recognition.search import gallery_conditions, gallery_table
from benchmarks.report.compare import devices_table
from benchmarks.report.conversion import recipes_table, support_table
from benchmarks.results.schema import RESULTS, read_result, read_results
from edge_runtime.console.output import percent, table
from edge_runtime.doctor.examine import PROBLEMS
from edge_runtime.errors import UsageError

_COLUMNS = ("voice", "face", "ensemble", "scaled")
_MARK = re.compile(r"<!-- table: ([^>]+) -->\n(.*?)<!-- /table -->", re.DOTALL)

_SWEEP_COLUMNS = {"voice": "voice", "face": "face", "ensemble": "sum", "scaled": "scaled",
                  "fused": "fused"}

# What evaluate --json printed, by the name of its file.
_ACCURACY_ROWS = {
    "people30": "people30, clean",
    "kiosk95": "kiosk95, clean",
    "kiosk95-snr5": "kiosk95, noise at 5 dB SNR",
    "wild95": "wild95, clean",
    "wild95-snr5": "wild95, noise at 5 dB SNR",
}


def update_pages(
    root: Path = ROOT, results: Path = RESULTS
) -> tuple[dict[Path, str], list[str]]:
    """The text of each page (README.md, docs/**/*.md) with every table between its marks made anew,
    and a line for each table that stays as it was since a result file cannot be used.

    Raises UsageError where a table has no place, or a mark no table.
    """
    left, texts, problems = dict(TABLES), {}, list[str]()
    for file in (root / "README.md", *sorted((root / "docs").glob("[!_]*/*.md"))):
        parts = _MARK.split(file.read_text(encoding="utf-8"))
        for place in range(1, len(parts), 3):
            name, before = parts[place : place + 2]
            if name not in left:
                raise UsageError(f"{file}: expected a mark of {', '.join(left) or 'no table'}, "
                                 f"found '{name}'")
            try:
                text = f"{left.pop(name)(results)}\n"
            except UsageError as error:
                problems.append(f"{error} (the table '{name}' stays as it was)")
                text = before
            parts[place : place + 2] = [f"<!-- table: {name} -->\n", f"{text}<!-- /table -->"]
        texts[file] = "".join(parts)
    if left:
        raise UsageError(f"{root}: expected the mark '<!-- table: {next(iter(left))} -->' in "
                         "README.md or docs, found none")
    return texts, problems


def headline(results: Path = RESULTS) -> str:
    """What a reader wants to know first; every figure of it stands in another table too."""
    names = ("kiosk95", "kiosk95-snr5", "open-set-kiosk95", "latency", "size")
    if not all((results / f"{name}.json").is_file() for name in names):
        return "Accuracy, time and size: not run."
    clean, noisy, later, latency, size = (read_result(results / f"{name}.json") for name in names)
    fastest = min(latency["results"], key=lambda result: float(result["median_ms"]["total"]))
    [files] = (result for result in size["results"] if result["name"] == fastest["name"])
    known = latency["conditions"]
    strangers = f"{100 * later['draws']['fpir']:g} % of strangers"
    return table(["what", "measured"], [
        [f"named rightly, of {clean['pairs']} pairs of a face and a clip of 95 people",
         f"{percent(clean['accuracy']['scaled'])} %"],
        ["the same in noise at 5 dB", f"{percent(noisy['accuracy']['scaled'])} %"],
        [f"people enrolled later who are missed, where {strangers} get a name",
         f"{percent(later['draws']['decided']['fnir']['mean'])} %"],
        ["a photograph and a recording that pass for the person",
         f"{percent(later['replay']['accepted'])} %"],
        [f"both networks, `{fastest['recipe']}`, {known['threads']} thread, {known['cpu']}",
         f"{fastest['median_ms']['total']:.1f} ms"],
        ["their files", f"{files['bytes']['total'] / 1e6:.1f} MB"],
        ["all that a device installs", f"{size['installed']['bytes']['total'] / 1e6:.0f} MB"]])


def accuracy_table(results: Path = RESULTS) -> str:
    """Accuracy per column with 95 % intervals, the source experiment's beside it."""
    source = read_result(results / "source-experiment.json")
    rows = [["source experiment, its own 95 people", str(source["pairs"]),
             *(percent(source["accuracy"].get(column)) for column in _COLUMNS)]]
    for name, label in _ACCURACY_ROWS.items():
        if not (results / f"{name}.json").is_file():
            rows.append([label, "not run", *("-" for _ in _COLUMNS)])
            continue
        content = read_result(results / f"{name}.json")
        rows.append([f"{label} (`{content['model']}`, seed {content['seed']})",
                     str(content["pairs"]), *(_with_interval(content, c) for c in _COLUMNS)])
    header = ["test accuracy in % (95 % interval over people)", "pairs", "voice", "face", "sum",
              "scaled"]
    return table(header, rows)


def cost_table(results: Path = RESULTS) -> str:
    """Latency and size of the bundles measured last on the machine named below the table."""
    files = [results / "latency.json", results / "size.json"]
    if not all(file.is_file() for file in files):
        return "Latency and size at 95 people: not run."
    latency, size = (read_result(file) for file in files)
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
    return "\n\n".join(recipes_table(read_result(file)).strip()
                       for file in sorted(results.glob("recipes-*.json"))) or "Recipes: not run."


def peers(results: Path = RESULTS) -> str:
    """Our face networks beside what others would use."""
    if not (results / "peers.json").is_file():
        return "Peers: not run."
    content = read_result(results / "peers.json")
    known = content["conditions"]
    return (f"{peers_table(content)}\n\nOne face of {content['image_size']} pixels, untrained "
            f"MobileViT-XXS networks for 95 people, {known['threads']} thread, {known['cpu']}, "
            f"{known['interpreter']}, in turn.")


def support(results: Path = RESULTS) -> str:
    """Which recipe can be applied to which family."""
    file = results / "support.json"
    if not file.is_file():
        return "Recipes by family: not run."
    return support_table(read_result(file)).strip()


def gallery(results: Path = RESULTS) -> str:
    """A search among enrolled people."""
    if not (results / "gallery.json").is_file():
        return "Searching enrolled people: not run."
    content = read_result(results / "gallery.json")
    return f"{gallery_table(content)}\n\n{gallery_conditions(content)}"


def doctor_table() -> str:
    """What `visavox doctor` looks for, by its registry of checks."""
    return "\n".join(["| found as | | what |", "|---|---|---|", *(
        f"| `{problem.code}` | {problem.severity} | {problem.what} |" for problem in PROBLEMS)])


def open_sets(results: Path = RESULTS) -> str:
    """People enrolled later and strangers, clean and in noise."""
    return "\n\n".join(open_set_text(read_result(file)) for file in sorted(
        results.glob("open-set-*.json"), key=lambda file: file.stem)
    ) or "People enrolled later: not run."


def devices(results: Path = RESULTS) -> str:
    """Every device that `python -m benchmarks all` was run on."""
    found = {name: content for name, content in read_results(results)[0].items()
             if content["kind"] == "benchmarks all"}
    return devices_table(found) if found else "Devices: not run."


def kiosk(results: Path = RESULTS) -> str:
    """A kiosk under load."""
    file = results / "kiosk.json"
    return kiosk_table(read_result(file)) if file.is_file() else "A kiosk under load: not run."


def families_tables(results: Path = RESULTS) -> str:
    """A table for each sweep that was run, the source experiment's rows above ours."""
    parts = [_families_table(read_result(results / "source-experiment.json"), read_result(file))
             for file in sorted(results.glob("sweep-*.json"))]
    return "\n\n".join(parts) or "Families and fusions: not run."


def _families_table(source: dict[str, Any], sweep: dict[str, Any]) -> str:
    noisy = sweep["snr_db"] is not None
    in_noise = [f"best column / sum or fused at {sweep['snr_db']:g} dB"] if noisy else []
    header = ["", "fusion", "parameters", *_SWEEP_COLUMNS.values(), *in_noise, "epochs", "seeds"]
    rows = [[f"source: {row['row']}", row["fusion"], _millions(row), *_shares(row),
             *(["-"] if noisy else []), "-", "1"] for row in source["rows"]]
    rows += [[f"`{row['row']}`", row["fusion"], _millions(row), *_shares(row),
              *([_in_noise(row)] if noisy else []), _epochs(row), str(len(row["seeds"]))]
             for row in sweep["rows"] if row["test"]]
    missing: dict[str, list[str]] = {}  # rows by the reason why
    for row in sweep["rows"]:
        if not row["test"]:
            reason, _, _ = row["reason"].partition("; ")  # what to do about it stands in the file
            missing.setdefault(reason, []).append(f"`{row['row']}`")
    mark = " (synthetic people)" if sweep["synthetic"] else ""
    return "\n".join([
        f"{sweep['data']}{mark}, train / test accuracy in %; the source's figures are of its own "
        "data:", "", table(header, rows), *([""] if missing else []),
        *(f"- {', '.join(rows)}: {reason}" for reason, rows in missing.items())])


def _epochs(row: dict[str, Any]) -> str:
    """Of the face network, or of a whole one, and of the voice network where it trained longer."""
    voice = row["voice_epochs"]
    return f"{row['epochs']}, voice {voice}" if voice else str(row["epochs"])


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


def roofline(results: Path = RESULTS) -> str:
    """How far networks are from the least time that the machine could need."""
    file = results / "roofline.json"
    return roofline_tables(read_result(file)) if file.is_file() else "Roofline: not run."


def ladders(results: Path = RESULTS) -> str:
    """Accuracy on the device's interpreter, clean and spoilt, for each bundle that was measured."""
    return "\n\n".join(ladder_tables(read_result(file)) for file in sorted(
        results.glob("accuracy-*.json"), key=lambda file: file.stem)) or "Ladders: not run."


# By the name in its mark, which stands on one of the pages.
TABLES: dict[str, Callable[[Path], str]] = {
    "headline": headline, "accuracy": accuracy_table, "cost": cost_table,
    "families": families_tables,
    "recipes": recipes_tables, "peers": peers, "support": support, "gallery": gallery,
    "open set": open_sets, "roofline": roofline, "ladders": ladders, "devices": devices,
    "emulated devices": device_section, "kiosk": kiosk, "doctor": lambda _: doctor_table(),
}
