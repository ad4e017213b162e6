"""Train the whole table, row after row; stopped at any point, it goes on where it was."""

from __future__ import annotations

import math
import multiprocessing
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras

from edge_runtime.errors import RunError
from train.data import read_data
from train.models.build import make_spec
from train.models.registry import Part, family_of
from train.runs.folder import Training
from train.sweep.child import run_in_child
from train.sweep.plan import (
    ROWS,
    Plan,
    Row,
    Settings,
    epoch_seconds,
    in_order,
    plan,
    read_json,
    read_result,
    write_json,
)
from train.sweep.table import content_of, write_tables
from train.training.examples import MIN_EXAMPLES
from train.training.frozen import read_convolutions
from train.training.jobs import share_cores

PLAN = "plan.json"
KNOWN = "rows.json"
CLOCK = "clock.json"
SPENT = "not run: the budget was spent on the rows before it"


def sweep(
    settings: Settings, rows: Sequence[Row], seeds: int, *, epochs: int,
    budget_minutes: float | None = None, jobs: int = 1, listed: Sequence[Row] = (),
) -> dict[str, Any]:
    """Train and evaluate every row with the seeds 0 to seeds - 1, as far as the budget allows.

    Returns what `sweep --json` prints; leaves sweep.json, sweep.md and pareto.png in the folder,
    after each row; where there is no budget, the rows and seeds that the folder already had stay in
    them. jobs: rows at a time, each with its share of the cores; where fewer are left, also the
    networks of each. listed: rows that the table names as not run where nobody has run them. Raises
    RunError where the folder holds a sweep of other settings.
    """
    settings.out.mkdir(parents=True, exist_ok=True)
    chosen = _planned(settings, rows, seeds, epochs, budget_minutes, jobs)
    shown, shown_seeds = _remembered(settings.out / KNOWN, [*rows, *listed], seeds)
    clock = _Clock(settings.out / CLOCK)
    budget_s = 60 * budget_minutes if budget_minutes else math.inf
    reasons = _not_run(settings, rows, listed, shown_seeds) | chosen.reasons
    tasks = [(row, seed) for seed in range(seeds) for row in chosen.rows]
    for row, seed, result in _run(settings, tasks, chosen.epochs, jobs, clock, budget_s):
        if reason := result.get("reason"):
            reasons[row.name] = reason
        _say(row, seed, result, clock.keep())
        write_tables(settings.out, content_of(settings, shown, shown_seeds, reasons))
    content = content_of(settings, shown, shown_seeds, reasons)
    write_tables(settings.out, content)
    return content


def _not_run(
    settings: Settings, rows: Sequence[Row], listed: Sequence[Row], seeds: int
) -> dict[str, str]:
    """Why rows that are listed alone have no figures."""
    gpu = bool(keras.distribution.list_devices("gpu"))
    return {row.name: "not run" if gpu else "not run (no GPU)"
            for row in listed if row not in rows and not any(
                read_result(settings, row.name, seed) for seed in range(seeds))}


class _Clock:
    """Seconds that a sweep has taken, those before it was stopped included."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._start = time.monotonic() - (read_json(file) or {"spent_s": 0.0})["spent_s"]

    def spent_s(self) -> float:
        return time.monotonic() - self._start

    def keep(self) -> float:
        """Remember the time for when the sweep goes on."""
        spent = self.spent_s()
        write_json(self._file, {"spent_s": round(spent, 1)})
        return spent


def _run(
    settings: Settings, tasks: list[tuple[Row, int]], epochs: int, jobs: int, clock: _Clock,
    budget_s: float,
) -> Iterator[tuple[Row, int, dict[str, Any]]]:
    """Results as they come. A row waits for the pair that it joins; none begins after the budget's
    end."""
    share_cores(jobs)
    waiting = [(row, seed) for row, seed in tasks if read_result(settings, row.name, seed) is None]
    running: dict[Future[dict[str, Any]], tuple[Row, int]] = {}
    # A process a row: TensorFlow gives no memory back.
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"),
                             max_tasks_per_child=1) as pool:
        while waiting or running:
            if clock.spent_s() > budget_s:
                late, waiting = waiting, []
                yield from ((*task, {"reason": SPENT}) for task in late)
            ready = [task for task in waiting if _ready(settings, task)][: jobs - len(running)]
            networks = jobs // max(1, len(ready) + len(running))
            for task in ready:
                waiting.remove(task)
                running[pool.submit(run_in_child, settings, task[0].name, task[1], epochs,
                                    networks)] = task
            if not running:
                yield from ((*task, {"reason": f"not run: joins the networks of {task[0].towers}, "
                                               "which is not run"}) for task in waiting)
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                yield *task, _result(settings, task, future)


def _result(
    settings: Settings, task: tuple[Row, int], future: Future[dict[str, Any]]
) -> dict[str, Any]:
    row, seed = task
    try:
        return future.result()
    except BrokenProcessPool:
        raise RunError(f"{settings.folder(row.name, seed)}: the training was killed; run the same "
                       "command again to go on") from None
    except Exception as error:  # one row's fault, whatever it is, leaves the others their figures
        with settings.log(row.name, seed).open("a", encoding="utf-8") as log:
            traceback.print_exception(error, file=log)
        return {"reason": f"not run: stopped by {type(error).__name__}, see "
                          f"{settings.log(row.name, seed)}"}


def _ready(settings: Settings, task: tuple[Row, int]) -> bool:
    row, seed = task
    return row.towers is None or read_result(settings, row.towers, seed) is not None


def _planned(
    settings: Settings, rows: Sequence[Row], seeds: int, epochs: int,
    budget_minutes: float | None, jobs: int,
) -> Plan:
    """The plan in the folder, or a new one: a sweep that goes on keeps its number of epochs."""
    file = settings.out / PLAN
    asked = {"settings": {name: str(value) for name, value in asdict(settings).items()
                          if name != "out"},
             "epochs": epochs, "budget_minutes": budget_minutes}
    if budget_minutes is not None:
        asked |= {"rows": [row.name for row in rows], "seeds": seeds}
    if known := read_json(file):
        if known["asked"] != asked:
            raise RunError(f"{settings.out}: holds a sweep of other rows or settings; go on with "
                           "the same ones, or name another folder")
        if budget_minutes is None:
            return Plan(epochs, list(rows), {})
        return Plan(known["epochs"], [ROWS[name] for name in known["rows"]], known["reasons"])
    made = _new_plan(settings, rows, seeds, epochs, budget_minutes, jobs)
    write_json(file, {"asked": asked, "epochs": made.epochs, "reasons": made.reasons,
                      "rows": [row.name for row in made.rows]})
    return made


def _remembered(file: Path, rows: Sequence[Row], seeds: int) -> tuple[list[Row], int]:
    """Rows and seeds of the table: those asked for now, and before."""
    before = read_json(file) or {"rows": [], "seeds": 0}
    names = {row.name for row in rows} | set(before["rows"])
    most = max(seeds, before["seeds"])
    write_json(file, {"rows": sorted(names), "seeds": most})
    return [row for row in ROWS.values() if row.name in names], most


def _new_plan(
    settings: Settings, rows: Sequence[Row], seeds: int, epochs: int,
    budget_minutes: float | None, jobs: int,
) -> Plan:
    if budget_minutes is None:
        return Plan(epochs, list(rows), {})
    collection = read_data(settings.data, settings.image_size, seed=0)
    missing = _without_weights(settings, rows)
    rows = [row for row in rows if row.name not in missing]
    print("how long does an epoch take?", flush=True)
    epoch_s: dict[str, float] = {}
    for row in rows:
        spec = make_spec(row.family, collection.people.names, settings.image_size)
        epoch_s[row.name] = sum(
            epoch_seconds(spec, part, max(MIN_EXAMPLES, len(_examples(collection, part))),
                          frozen=row.frozen) for part in spec.parts)
        print(f"  {row.name}: about {epoch_s[row.name]:.0f} s", flush=True)
    keras.utils.clear_session()
    networks = {row.name: len(family_of(row.family).parts) for row in rows}
    made = plan(in_order(rows, epoch_s), epoch_s, networks, 60 * budget_minutes * jobs / seeds,
                epochs, gpu=bool(keras.distribution.list_devices("gpu")))
    made.reasons.update(missing)
    print(f"{len(made.rows)} rows of {made.epochs} epochs, {len(made.reasons)} not run", flush=True)
    return made


def _without_weights(settings: Settings, rows: Sequence[Row]) -> dict[str, str]:
    """Why rows cannot start from ImageNet's weights, which leave their share of the budget."""
    reasons: dict[str, str] = {}
    for row in rows:
        spec = make_spec(row.family, ("", "x"), settings.image_size)
        try:
            read_convolutions(spec, Training(weights=row.start(settings.weights)))
        except RunError as error:
            reasons[row.name] = f"not run: {error}"
    return reasons


def _examples(collection: Any, part: Part) -> Any:
    return collection.people.of("voice" if part == "voice" else "face", "train")


def _say(row: Row, seed: int, result: dict[str, Any], elapsed_s: float) -> None:
    known = result.get("reason") or ", ".join(
        f"{column} {100 * share:.1f}" for column, share in result["test"]["accuracy"].items()
        if share is not None)
    print(f"[{elapsed_s / 60:5.1f} min] {row.name}, seed {seed}: {known}", flush=True)
