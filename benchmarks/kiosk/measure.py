"""Whether a kiosk stays fast and small over minutes of load."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from benchmarks.cost.timing import Distribution, conditions
from benchmarks.kiosk.load import IDENTIFY, Load, Record
from benchmarks.kiosk.process import Kiosk, kiosk_running
from edge_runtime.console.output import Progress, percent, table
from edge_runtime.errors import UsageError

MAX_GROWTH = 0.02  # of memory, once settled
LOOK = "look that decides"
_SETTLE_S = 300.0  # or a sixth of a shorter load
_SAMPLE_S = 5.0


def measure_kiosk(
    arguments: Sequence[str], *, seconds: float, rate: float, pages: int
) -> dict[str, Any]:
    """Times by route, errors, memory, and processor time of `visavox kiosk ARGUMENTS`.

    rate: requests a second. pages: that are open. growth: of memory, from when it has settled
    to the end, each the mean of a thirtieth of the time. cores: how many the kiosk kept busy.
    errors: refused or unanswered, and each line that the kiosk complained in. UsageError where it
    does not start.
    """
    if min(seconds, rate) <= 0 or pages < 0:
        raise UsageError("--minutes and --rate expect numbers above 0, --pages at least 0")
    before = conditions(threads=1)
    with kiosk_running(arguments) as kiosk, Load(kiosk, rate, pages) as load:
        samples = _samples(kiosk, seconds)
        record = load.record
        record.errors.update(f"the kiosk said: {line}" for line in kiosk.complaints())
    return {"minutes": seconds / 60, "rate": rate, "pages": pages,
            "requests": sum(map(len, record.times_ms.values())), "messages": record.messages,
            "picture_mib": round(record.picture_mib, 1),
            "errors": dict(record.errors), "times": _times(record), **_memory(samples),
            "conditions": before}


def _samples(kiosk: Kiosk, seconds: float) -> list[dict[str, float]]:
    """Memory and processor time of the kiosk, by its own /metrics, until the time is over."""
    samples, begin, progress = [], time.monotonic(), Progress()
    period = min(_SAMPLE_S, seconds / 60)
    while (at_s := time.monotonic() - begin) < seconds:
        text = _metrics(kiosk)
        samples.append({
            "at_s": round(at_s, 2),
            "memory_mib": _metric(text, "process_resident_memory_bytes") / 2**20,
            "cpu_s": _metric(text, "process_cpu_seconds_total")})
        memory = samples[-1]["memory_mib"]
        progress.say(f"{at_s / 60:5.1f} of {seconds / 60:g} minutes, {memory:.0f} MiB")
        time.sleep(min(period, max(0.0, seconds - at_s)))
    progress.end()
    return samples


def _metrics(kiosk: Kiosk) -> str:
    connection = http.client.HTTPConnection(urlsplit(kiosk.url).netloc, timeout=20)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    except OSError as error:
        raise UsageError(f"the kiosk has ended under load: {error}") from None
    finally:
        connection.close()


def _metric(text: str, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    if not found:
        raise UsageError(f"expected {name} in /metrics, found none: the memory of a process is "
                         "told on Linux alone")
    return float(found[1])


def _times(record: Record) -> dict[str, dict[str, float]]:
    """Milliseconds by route, and of the loop's own looks that decided."""
    rows = record.times_ms | {LOOK: record.decisions_ms}
    return {name: {"count": len(row), **asdict(Distribution.of(row))}
            for name, row in rows.items() if row}


def _memory(samples: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    last = samples[-1]
    settled_s = min(_SETTLE_S, last["at_s"] / 6)
    window = last["at_s"] / 30

    def mean(start: float, end: float) -> float:
        found = [s["memory_mib"] for s in samples if start <= s["at_s"] <= end]
        return sum(found) / len(found)

    settled, end = mean(settled_s, settled_s + window), mean(last["at_s"] - window, last["at_s"])
    return {"settled_after_s": settled_s, "settled_mib": round(settled, 2),
            "end_mib": round(end, 2), "growth": end / settled - 1,
            "cores": (last["cpu_s"] - samples[0]["cpu_s"]) / max(last["at_s"], 1e-9),
            "samples": [{key: round(value, 2) for key, value in s.items()} for s in samples]}


def kiosk_table(content: Mapping[str, Any]) -> str:
    """Markdown: times by route, then memory and errors."""
    rows = [[name if name == LOOK else f"`{name}`", str(row["count"]), f"{row['median_ms']:.1f}",
             f"{row['p90_ms']:.1f}", f"{row['p99_ms']:.1f}"]
            for name, row in content["times"].items()]
    errors = "; ".join(f"{count} of {what}" for what, count in content["errors"].items())
    known = content["conditions"]
    return "\n".join([
        table(["", "times", "median (ms)", "p90", "p99"], rows), "",
        f"{content['minutes']:g} minutes, {content['rate']:g} requests a second and "
        f"{content['pages']} open pages, {content['requests']:,} requests, "
        f"{content['messages']:,} messages, {content['picture_mib']:,.0f} MiB of pictures; "
        f"errors: {errors or 'none'}. Memory "
        f"{content['settled_mib']:.1f} MiB after {content['settled_after_s'] / 60:.1f} minutes, "
        f"{content['end_mib']:.1f} MiB at the end ({percent(content['growth'])} % more); "
        f"{content['cores']:.2f} of {known['cores']} cores busy. {known['cpu']}, load "
        f"{known['load']} before, {known['interpreter']}."])


def is_bad(content: Mapping[str, Any]) -> bool:
    """Whether anything went wrong, or the kiosk grew."""
    return bool(content["errors"]) or content["growth"] >= MAX_GROWTH or not (
        content["times"].get(IDENTIFY))
