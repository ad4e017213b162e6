"""A cold start, measured from within a fresh process: `python -m benchmarks.cold BUNDLE THREADS`."""

import time

_START = time.perf_counter()
_START_CPU = time.process_time()

import json
import sys
from pathlib import Path

import numpy as np

from edge_runtime.identify import Identifier

_IMPORTED = time.perf_counter()


def main() -> None:
    """Print import_ms, load_ms, first_ms, cpu_ms and peak_mib as JSON."""
    from benchmarks.timing import peak_memory_mib

    bundle, threads = Path(sys.argv[1]), int(sys.argv[2])
    identifier = Identifier.load(bundle, num_threads=threads, allow_uncertified=True)
    loaded = time.perf_counter()
    contract = identifier.manifest.inputs
    size = contract.face.size if contract.face else 128
    rng = np.random.default_rng(0)
    face = rng.integers(0, 256, (size, size, 3), np.uint8)
    voice = (0.1 * rng.standard_normal(48_000)).astype(np.float32)
    identifier.identify(face, voice)
    first = time.perf_counter()
    print(json.dumps({"import_ms": 1e3 * (_IMPORTED - _START), "load_ms": 1e3 * (loaded - _IMPORTED),
                      "first_ms": 1e3 * (first - loaded),
                      "cpu_ms": 1e3 * (time.process_time() - _START_CPU),
                      "peak_mib": peak_memory_mib()}))


if __name__ == "__main__":
    main()
