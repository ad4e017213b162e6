"""Parts of a network compute what they compute within it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.cost.operations import (
    front_end_of,
    measure_operations,
    operations_table,
    single_operations,
)
from edge_runtime.bundle.networks import chosen_interpreter
from edge_runtime.errors import UsageError
from edge_runtime.signals.voice import voice_input

MAX_FRONT_END = 300_000  # bytes, what it may add to a file


def run(model: bytes, value: npt.NDArray[Any]) -> npt.NDArray[Any]:
    interpreter = chosen_interpreter().make(model_content=model)
    interpreter.allocate_tensors()
    (given,), (found,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.set_tensor(given["index"], value)
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(found["index"]))


@pytest.mark.parametrize("recipe", ["float32", "mixed_wi8"])
def test_the_front_end_is_librosas(
    recipe: str, small_bundles: dict[str, Path], voice_clip: npt.NDArray[Any]
) -> None:
    """Whatever the recipe: its constants stay float32."""
    import librosa

    model = front_end_of((small_bundles[recipe] / "voice.tflite").read_bytes())
    assert 100_000 < len(model) <= MAX_FRONT_END
    clip = voice_input(voice_clip)
    found = run(model, clip)[0, :, :, 0]
    assert found.shape == (256, 64)
    # The network brings clips to one loudness first.
    loud = clip[0] / np.sqrt(np.mean(np.square(clip[0])))
    power = librosa.feature.melspectrogram(y=loud, sr=16_000, n_fft=512, win_length=400,
                                           hop_length=160, center=False, n_mels=64, fmax=8_000)
    expected = np.log(np.maximum(power, 1e-5)).T
    expected = (expected - expected.mean()) / expected.std()
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.98


def test_single_operations_run_and_add_up(small_bundles: dict[str, Path]) -> None:
    model = (small_bundles["mixed_wi8"] / "face.tflite").read_bytes()
    parts = list(single_operations(model))
    kinds = [kind for kind, _ in parts]
    assert {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "QUANTIZE"} <= set(kinds)
    assert max(len(part) for _, part in parts) < len(model) / 4
    found = measure_operations(model)
    assert {row["kind"]: row["count"] for row in found["kinds"]} == {
        kind: kinds.count(kind) for kind in kinds}
    assert found["sum_ms"] == pytest.approx(sum(row["ms"] for row in found["kinds"]), rel=0.2)
    ordered = [row["ms"] for row in found["kinds"]]
    assert ordered == sorted(ordered, reverse=True) and ordered[-1] >= 0
    lines = operations_table({"face": found}).splitlines()
    assert "CONV_2D" in {line.split("|")[1].strip() for line in lines}
    assert lines[-1].split("|")[2].strip() == f"{found['whole_ms']:.3f}"


def test_a_network_without_a_front_end(small_bundles: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="expected a voice network with its front end"):
        front_end_of((small_bundles["float32"] / "face.tflite").read_bytes())
