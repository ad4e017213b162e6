"""Networks of a pair that train at the same time, in processes with a share of the cores each.

A step of these networks is mostly operations too small to be divided: it takes hardly longer with
one thread than with two, so that two processes of one thread each do more.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.console.output import silenced_stderr
from edge_runtime.errors import RunError

if TYPE_CHECKING:  # a child imports this module before it has silenced what Keras prints
    from train.models.registry import Part
    from train.runs.history import Rows

THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


def share_cores(jobs: int) -> None:
    """Give processes that are started from now on, and their libraries, a share of the cores."""
    if jobs > 1:
        threads = str(max(1, (os.cpu_count() or 1) // jobs))
        for name in THREADS:
            os.environ.setdefault(name, threads)


def fit_at_once(
    run: Path, parts: Sequence[Part], jobs: int, *, fit_here: Callable[[Part], Rows],
    fit_there: Callable[[Part], Rows],
) -> dict[Part, Rows]:
    """Train the networks of a run folder that `fit` has begun; the epochs of each, by network.

    The last is trained by `fit_here`, in this process, which has loaded the backend and the data
    already, and the others by `fit_there`, which can be pickled, in processes of their own. Raises
    what a training raises, and RunError where one was killed.
    """
    share_cores(jobs)
    *others, last = parts
    with ProcessPoolExecutor(jobs - 1, multiprocessing.get_context("spawn"), _load_quietly,
                             max_tasks_per_child=1) as pool:
        running = {part: pool.submit(fit_there, part) for part in others}
        try:
            rows = fit_here(last)
            return {part: future.result() for part, future in running.items()} | {last: rows}
        except BrokenProcessPool:
            raise RunError(f"{run}: a training was killed (out of memory?); go on with --resume, "
                           "or with --jobs 1") from None


def _load_quietly() -> None:
    with silenced_stderr():
        import keras  # noqa: F401
