"""The clock and the memory probe that all benchmarks share."""

from __future__ import annotations

import itertools
import json
import math
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from edge_runtime.bundle.networks import chosen_interpreter
from edge_runtime.console.output import counted
from edge_runtime.doctor.hardware import CPUFREQ, celsius, clock_mhz, is_throttled
from edge_runtime.doctor.machine import Machine

ROOT = Path(__file__).resolve().parents[2]
WARM_UP_ROUNDS = 10  # at least; then more, until they take no less than those before
_MAX_WARM_UP_S = 10.0
REPEATS = 5  # parts of a measurement that are held against the whole
UNSTABLE = 0.05

Name = TypeVar("Name", bound=Hashable)
Task = TypeVar("Task", bound=Callable[[], object])


@dataclass(frozen=True)
class Distribution:
    """Times of repeated runs in milliseconds. p90: nine in ten runs took at most so long. iqr: the
    spread, from the first quarter to the third."""

    median_ms: float
    p90_ms: float
    p99_ms: float
    min_ms: float
    iqr_ms: float

    @classmethod
    def of(cls, times_ms: Sequence[float]) -> Distribution:
        ordered = sorted(times_ms)

        def quantile(share: float) -> float:
            return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]

        return cls(*(round(t, 4) for t in (quantile(0.5), quantile(0.9), quantile(0.99),
                                           ordered[0], quantile(0.75) - quantile(0.25))))


@dataclass(frozen=True)
class Repeats:
    """Whether a measurement agrees with itself: medians of its parts, one after the other, and
    whether one of them differs from the whole's by over 5 %."""

    repeats_ms: tuple[float, ...]
    unstable: bool

    @classmethod
    def of(cls, times_ms: Sequence[float]) -> Repeats:
        count = min(REPEATS, len(times_ms))
        edges = [round(i * len(times_ms) / count) for i in range(count + 1)]
        medians = tuple(Distribution.of(times_ms[start:end]).median_ms
                        for start, end in itertools.pairwise(edges))
        whole = Distribution.of(times_ms).median_ms
        return cls(medians, any(abs(median - whole) > UNSTABLE * whole for median in medians))


def timed_ms(task: Callable[[], object]) -> float:
    """How long the task takes now."""
    start = time.perf_counter_ns()
    task()
    return (time.perf_counter_ns() - start) / 1e6


def clock_of(threads: int) -> Callable[[Callable[[], object]], float]:
    """For short runs beside long ones. One thread is timed by the processor time that it gets:
    other programs, which stop a long product of matrices more often than a short layer, would make
    the machine's peak look lower than it is."""
    return _processor_ms if threads == 1 else timed_ms


def _processor_ms(task: Callable[[], object]) -> float:
    start = time.thread_time_ns()
    task()
    return (time.thread_time_ns() - start) / 1e6


def interleaved_ms(
    tasks: Mapping[Name, Task], rounds: int, clock: Callable[[Task], float] = timed_ms
) -> dict[Name, list[float]]:
    """Times of each task in milliseconds, the tasks run in turn, round after round.

    On a machine whose speed drifts, single times mean little; run in turn, their ratios hold.
    Before, they are run without a record until that takes no less any more. clock: runs a task and
    says how long it took.
    """
    _warm_up(tasks, clock)
    times: dict[Name, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            times[name].append(clock(task))
    return times


def _warm_up(tasks: Mapping[Name, Task], clock: Callable[[Task], float]) -> None:
    start, before = time.perf_counter(), math.inf
    while True:
        rounds = [sum(map(clock, tasks.values())) for _ in range(WARM_UP_ROUNDS)]
        now = Distribution.of(rounds).median_ms
        if now >= (1 - UNSTABLE) * before or time.perf_counter() - start > _MAX_WARM_UP_S:
            return
        before = now


def run_child(module: str, *arguments: str) -> dict[str, Any]:
    """Run `python -m module` in a process of its own and read the JSON it prints."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT,
                          capture_output=True, text=True, check=True)
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def peak_memory_mib() -> float:
    """The most memory that this process has held so far, in MiB."""
    # Linux's getrusage starts with what the parent held when it made this process.
    if found := re.search(r"VmHWM:\s+(\d+) kB", _read(Path("/proc/self/status")) or ""):
        return int(found[1]) / 2**10
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


@dataclass(frozen=True)
class Conditions:
    """What a time hangs on; null where the system does not tell."""

    cpu: str
    cores: int
    governor: str | None
    clock_mhz: float | None
    celsius: float | None
    throttled: bool | None
    load: float | None
    memory_mib: int | None
    system: str
    python: str
    interpreter: str
    threads: int | list[int]


def conditions(threads: int | list[int]) -> dict[str, Any]:
    """The conditions of this machine now. threads: a list where several numbers were measured."""
    machine = Machine()
    return asdict(Conditions(
        cpu=cpu_name(), cores=os.cpu_count() or 1,
        governor=machine.text(f"{CPUFREQ}/cpu0/cpufreq/scaling_governor") or None,
        clock_mhz=clock_mhz(machine), celsius=celsius(machine), throttled=is_throttled(machine),
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        memory_mib=_memory_mib(), system=platform.platform(), python=platform.python_version(),
        interpreter=str(chosen_interpreter()), threads=threads))


def conditions_line(known: Mapping[str, Any]) -> str:
    """The conditions in a line."""
    return (f"{known['cpu']}, {threads_text(known['threads'])}, {known['interpreter']}, "
            f"load {known['load']}")


def threads_text(count: int | Sequence[int]) -> str:
    """1 thread; 1, 2, 4 threads."""
    if isinstance(count, int):
        return counted(count, "thread")
    return f"{', '.join(map(str, count))} threads"


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip("\0\n ")
    except OSError:
        return None


def cpu_name() -> str:
    board = _read(Path("/proc/device-tree/model"))  # what a Raspberry Pi calls itself
    for line in (_read(Path("/proc/cpuinfo")) or "").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return board or platform.processor() or platform.machine()


def _memory_mib() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    except (ValueError, OSError, AttributeError):
        return None
