"""A cold start, in a fresh process: `python -m benchmarks.cost.cold BUNDLE THREADS`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main() -> None:
    """Print import_ms, load_ms, first_ms, cpu_ms (of all three) and peak_mib as JSON."""
    start, start_cpu = time.perf_counter(), time.process_time()
    import numpy as np

    from edge_runtime.decision.identify import Identifier

    imported = time.perf_counter()
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
    cpu = time.process_time() - start_cpu

    from benchmarks.cost.timing import peak_memory_mib

    print(json.dumps({
        "import_ms": 1e3 * (imported - start), "load_ms": 1e3 * (loaded - imported),
        "first_ms": 1e3 * (first - loaded), "cpu_ms": 1e3 * cpu, "peak_mib": peak_memory_mib()}))


if __name__ == "__main__":
    main()
