"""How long it takes to find somebody among many enrolled people, on one core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.cost.timing import conditions, run_child
from benchmarks.recognition.one_core_search import EMBEDDING_DIM, NUM_TOP
from edge_runtime.console.output import table
from edge_runtime.errors import UsageError


def measure_gallery(counts: Sequence[int], *, rounds: int = 100) -> dict[str, Any]:
    """Times of a search in milliseconds: {"results": [...], "conditions": {...}}.

    Templates and what is searched for are random: no operation's time depends on their values.
    """
    if rounds < 1 or min(counts) < 1:
        raise UsageError("--people and --rounds expect numbers of at least 1")
    found = run_child("benchmarks.recognition.one_core_search", str(rounds), *map(str, counts))
    return found | {"embedding_dim": EMBEDDING_DIM, "num_top": NUM_TOP,
                    "conditions": conditions(1) | {"rounds": rounds}}


def gallery_conditions(content: dict[str, Any]) -> str:
    """What was measured where, in a sentence."""
    known = content["conditions"]
    return (f"The {content['num_top']} most alike among random templates of "
            f"{content['embedding_dim']} numbers, on one core of {known['cpu']}, load "
            f"{known['load']}.")


def gallery_table(content: dict[str, Any]) -> str:
    """The results as a Markdown table."""
    return table(["people", "median (ms)", "p90", "p99", "least", "fill the index (ms)", "MiB"],
                 [[f"{result['people']:,}", *(f"{result[key]:.3f}" for key in (
                     "median_ms", "p90_ms", "p99_ms", "min_ms")),
                   f"{result['fill_ms']:.0f}", f"{result['index_mib']:.1f}"]
                  for result in content["results"]])
