"""What a recipe costs: time, beside other sets of networks in the same run, and error inside the
network, by the quantizer's own comparison of each tensor.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from litert_quantizer import model_validator
from litert_quantizer.utils.validation_utils import ValidationErrorMetric

from benchmarks.cost.timing import Distribution, interleaved_ms
from convert.graph.export import SIGNATURE, operations_in_order, quiet
from convert.quantize.recipes import Samples
from edge_runtime.bundle.networks import Network

SAMPLES = 8  # the comparison runs both models with every tensor kept, which takes its time
NO_ERROR = 120.0  # dB; what differs by less is equal


def layer_snr(float32: bytes, model: bytes, samples: Samples) -> dict[str, float]:
    """Signal over error in dB of every operation's output that both models have, in the graph's
    order, the mean over a few samples; less than 0 dB is more error than signal."""
    metric = ValidationErrorMetric.SNR
    with quiet():
        result = model_validator.compare_model(
            float32, model, {SIGNATURE: list(samples[:SAMPLES])}, [metric], [_snr_db],
            num_threads=1)
    found = {name: values[metric.value] for name, values in result.get_all_tensor_results().items()}
    return {name: found[name] for _, name in operations_in_order(float32)
            if name in found and not math.isnan(found[name])}


def _snr_db(noisy: Any, signal: Any) -> float:
    """The quantizer's own adds a constant to the error, which is more than a quiet signal has."""
    noisy, signal = np.asarray(noisy, np.float64), np.asarray(signal, np.float64)
    if noisy.size != signal.size:
        return math.nan
    error = float(np.mean(np.square(noisy.ravel() - signal.ravel())))
    power = float(np.mean(np.square(signal)))
    if error <= power * 10**(-NO_ERROR / 10):
        return NO_ERROR
    return 10 * math.log10(max(power / error, 1e-12))


ROUNDS = 30


def medians_ms(models: Mapping[str, Iterable[bytes]]) -> dict[str, float]:
    """Median time of all networks of each set, on one thread and noise, the sets run in turn."""
    times = interleaved_ms({name: _task(found) for name, found in models.items()}, ROUNDS)
    return {name: Distribution.of(row).median_ms for name, row in times.items()}


def _task(models: Iterable[bytes]) -> Callable[[], object]:
    rng = np.random.default_rng(0)
    networks = [Network(model) for model in models]
    inputs = [{name: rng.standard_normal(shape, dtype=np.float32)
               for name, shape in network.inputs.items()} for network in networks]
    return lambda: [network.run(**given) for network, given in zip(networks, inputs, strict=True)]
