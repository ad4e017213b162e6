"""Memory, disk space and the clock."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from edge_runtime.doctor.finding import Check, Finding, Problem, well
from edge_runtime.doctor.machine import Machine

_MEMORY_MIB = 200  # one `visavox identify` takes up to 150
_CLOCK_S = 300.0  # by which clocks of two machines may differ

LOW_MEMORY = Problem("low-memory", "warning", f"less than {_MEMORY_MIB} MiB of memory left")
LITTLE_DISK = Problem("little-disk", "warning", "little disk space where the bundle or the "
                      "gallery lies")
CLOCK_BEHIND = Problem("clock-behind", "fault", "a clock that is before the time at which Visavox "
                       "or the bundle was written")
CLOCK_FREE = Problem("clock-free", "warning", "a clock that nothing sets right (timedatectl)")


def _look_at_memory(machine: Machine) -> Iterator[Finding]:
    found = re.search(r"^MemAvailable:\s*(\d+) kB", machine.text("proc/meminfo"), re.MULTILINE)
    if found is None:
        return
    mib = int(found[1]) // 1024
    if mib < _MEMORY_MIB:
        yield LOW_MEMORY.found(f"{mib} MiB of memory are left; identifying takes up to 150",
                               "end what takes most (ps -eo rss,pid,comm --sort=-rss | head), or "
                               "add compressed swap: sudo apt install zram-tools")
    else:
        yield well("memory", f"{mib} MiB are left")


def _look_at_disk(machine: Machine) -> Iterator[Finding]:
    for path in (machine.bundle, machine.gallery):
        if path is None:
            continue
        folder = next(folder for folder in (path, *path.absolute().parents) if folder.is_dir())
        free = shutil.disk_usage(folder).free
        if free < machine.needed_bytes:
            yield LITTLE_DISK.found(f"{path}: {free / 1e6:.0f} MB of disk space are left",
                                    f"delete what is not needed: du -xh '{folder}' | sort -h | "
                                    "tail; then sudo apt clean")
        else:
            yield well("disk", f"{path}: {free / 1e9:.1f} GB are left")


def _look_at_clock(machine: Machine) -> Iterator[Finding]:
    written, file = max((file.stat().st_mtime, file) for file in _dated_files(machine))
    now_s = time.time()
    if now_s < written - _CLOCK_S:
        yield CLOCK_BEHIND.found(
            f"it is {_day(now_s)} by the clock, but {file} was written on {_day(written)}: "
            "certificates fail, and the times stored of people are wrong",
            "sudo timedatectl set-ntp true; without a network: sudo date -s 'YYYY-MM-DD HH:MM'")
    elif machine.output("timedatectl", "show", "--property=NTPSynchronized", "--value") == "no":
        yield CLOCK_FREE.found("the clock is not synchronised with the network",
                               "sudo timedatectl set-ntp true; without a network, add a real-time "
                               "clock")
    else:
        yield well("clock", f"it is {_day(now_s)}")


def _dated_files(machine: Machine) -> Iterator[Path]:
    yield Path(__file__)
    if machine.bundle is not None and machine.bundle.is_dir():
        yield from (file for file in machine.bundle.iterdir() if file.is_file())


def _day(time_s: float) -> str:
    return datetime.fromtimestamp(time_s).astimezone().strftime("%Y-%m-%d %H:%M")


CHECKS = (
    Check("memory", _look_at_memory, (LOW_MEMORY,)),
    Check("disk", _look_at_disk, (LITTLE_DISK,)),
    Check("clock", _look_at_clock, (CLOCK_BEHIND, CLOCK_FREE)),
)
