"""How long each stage of a decision takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stages:
    """Milliseconds of named stages, in the order in which they first ran."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add what the block takes to the stage."""
        start = time.perf_counter()
        yield
        self.ms[name] = self.ms.get(name, 0.0) + 1e3 * (time.perf_counter() - start)
