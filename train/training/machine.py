"""What a training runs on: devices that share each batch, and threads that prepare batches."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import keras
import numpy as np

from edge_runtime.errors import UsageError
from train.training.examples import WORKERS, Array, Inputs


@dataclass(frozen=True)
class Machine:
    """What a run's results do not hang on, so that it may be resumed with another.

    devices: accelerators that share each batch; not taken up by themselves, because the batch size
    has to divide by them. workers: threads, and not processes: numpy leaves Python's lock in long
    operations, a pool of processes spent 1.4 (faces) to 2 (clips) times the processor time on an
    example, and to fork a process in which a backend runs may hang. jobs: networks that train at
    the same time, each in a process of its own (see jobs.py).
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
