"""How long sets of networks take beside each other, here and now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from benchmarks.timing import Distribution, interleaved_ms
from edge_runtime.interpreter import Network

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
