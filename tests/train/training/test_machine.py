"""Devices that share a batch: what is refused, and validation that divides by them."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from edge_runtime.errors import UsageError
from train.training.machine import ONE_DEVICE, Machine


@pytest.fixture
def three_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0", "gpu:1", "gpu:2"])


def test_one_device_is_never_asked_for() -> None:
    ONE_DEVICE.check(17)
    with ONE_DEVICE.shared():
        assert keras.distribution.distribution() is None


@pytest.mark.parametrize(("devices", "batch_size", "expected"), [
    (4, 16, "--devices 4: expected as many devices, found 3 (gpu:0, gpu:1, gpu:2); name no more "
            "than these"),
    (3, 16, "--devices 3: expected a batch that divides by them, found one of 16 examples; try "
            "--batch-size 15 or 18"),
    (2, 1, "--devices 2: expected a batch that divides by them, found one of 1 examples; try "
           "--batch-size 2")])
def test_what_is_refused(
    three_gpus: None, devices: int, batch_size: int, expected: str
) -> None:
    with pytest.raises(UsageError) as caught:
        Machine(devices).check(batch_size)
    assert str(caught.value) == expected


def test_what_is_taken(three_gpus: None) -> None:
    Machine(3).check(18)
    Machine(2).check(16)


@pytest.mark.parametrize(("devices", "count", "times"), [(1, 5, 1), (2, 6, 1), (2, 5, 2),
                                                         (4, 6, 2), (3, 7, 3)])
def test_validation_divides(devices: int, count: int, times: int) -> None:
    rows = np.arange(count, dtype=np.float32)[:, None]
    for inputs in (rows, {"face": rows, "voice": 2 * rows}):
        found, targets = Machine(devices).divisible(inputs, rows)
        assert len(targets) == times * count and len(targets) % devices == 0
        np.testing.assert_array_equal(targets, np.tile(rows, (times, 1)))
        if isinstance(found, dict):
            np.testing.assert_array_equal(found["voice"], 2 * targets)
        else:
            np.testing.assert_array_equal(found, targets)
