"""What a training runs on: devices that share each batch, and threads that prepare batches.

Networks of a pair that train at the same time, in processes with a share of the cores each.

A step of these networks is mostly operations too small to be divided: it takes hardly longer with
one thread than with two, so that two processes of one thread each do more.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np

from edge_runtime.console.output import silenced_stderr
from edge_runtime.errors import RunError, UsageError
from train.training.examples import WORKERS, Array, Inputs

if TYPE_CHECKING:
    from train.models.registry import Part
    from train.runs.history import Rows

@dataclass(frozen=True)
class Machine:
    """What a run's results do not hang on, so that it may be resumed with another.

    devices: accelerators that share each batch; not taken up by themselves, because the batch size
    has to divide by them. workers: threads, and not processes: numpy leaves Python's lock in long
    operations, a pool of processes spent 1.4 (faces) to 2 (clips) times the processor time on an
    example, and to fork a process in which a backend runs may hang. jobs: networks that train at
    the same time, each in a process of its own (see train/training/machine.py).
    """

    devices: int = 1
    workers: int = WORKERS
    jobs: int = 1

    def check(self, batch_size: int) -> None:
        """UsageError where the devices are not there or cannot share a batch."""
        if self.devices == 1:
            return
        if self.jobs > 1:
            raise UsageError("--jobs shares the cores of a processor, --devices shares batches; "
                             "leave out one")
        if keras.backend.backend() != "jax":
            raise UsageError(f"--devices {self.devices}: expected the JAX backend, found "
                             f"{keras.backend.backend()}; set KERAS_BACKEND=jax")
        found = keras.distribution.list_devices()
        if self.devices > len(found):
            raise UsageError(f"--devices {self.devices}: expected as many devices, found "
                             f"{len(found)} ({', '.join(found)}); name no more than these")
        if batch_size % self.devices:
            less = batch_size - batch_size % self.devices
            sizes = [str(size) for size in (less, less + self.devices) if size]
            raise UsageError(f"--devices {self.devices}: expected a batch that divides by them, "
                             f"found one of {batch_size} examples; try --batch-size "
                             f"{' or '.join(sizes)}")

    def shared(self) -> AbstractContextManager[None]:
        """Networks that are built and trained within share each batch between the devices."""
        if self.devices == 1:
            return nullcontext()
        devices = keras.distribution.list_devices()[: self.devices]
        scope: AbstractContextManager[None] = keras.distribution.DataParallel(
            devices=devices).scope()
        return scope

    def divisible(self, inputs: Inputs, targets: Array) -> tuple[Inputs, Array]:
        """The same examples so many times over that they divide by the devices.

        JAX refuses a last batch that does not. Repeating all of them leaves means as they are, and
        costs each device no more than all of them would cost one.
        """
        times = self.devices // int(np.gcd(self.devices, len(targets)))
        if times == 1:
            return inputs, targets
        if isinstance(inputs, dict):
            return ({name: np.concatenate([rows] * times) for name, rows in inputs.items()},
                    np.concatenate([targets] * times))
        return np.concatenate([inputs] * times), np.concatenate([targets] * times)


ONE_DEVICE = Machine()


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
