"""What a conversion changed: the same real inputs through Keras and through the interpreter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.errors import ConversionError
from edge_runtime.interpreter import Network
from edge_runtime.people import Sample

FLOAT32_LIMIT = 1e-4  # on scores; what is larger is a fault and no rounding


@dataclass(frozen=True)
class Comparison:
    """Scores [people] of each file by the interpreter, and the largest difference to Keras's."""

    scores: Mapping[Sample, npt.NDArray[np.float32]]
    max_abs_error: float


def compare(
    part: str, network: Network, samples: tuple[Sample, ...],
    inputs: npt.NDArray[np.float32], reference: Mapping[Sample, npt.NDArray[np.float32]],
) -> Comparison:
    """Run every input [n, ...] one by one, as the device does."""
    scores = {sample: network.run(**{part: row[np.newaxis]}).scores
              for sample, row in zip(samples, inputs, strict=True)}
    # NumPy's maximum, unlike Python's, is NaN where any is.
    error = np.max([np.max(np.abs(scores[s] - reference[s])) for s in samples])
    return Comparison(scores, float(error))


def assert_float32(part: str, comparison: Comparison) -> None:
    """ConversionError where a float32 conversion differs from Keras by more than rounding."""
    if not comparison.max_abs_error <= FLOAT32_LIMIT:
        raise ConversionError(
            f"the {part} network's float32 conversion differs from Keras by "
            f"{comparison.max_abs_error:.1e}, at most {FLOAT32_LIMIT:.0e} is rounding; this is a "
            "fault of the conversion, please report it")
