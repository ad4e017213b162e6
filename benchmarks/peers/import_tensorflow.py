"""What it costs to import TensorFlow, in a fresh process: CPU time and memory."""

from __future__ import annotations

import json
import time


def main() -> None:
    """Print import_cpu_ms and peak_mib as JSON."""
    start = time.process_time()
    import tensorflow  # noqa: F401

    cpu_ms = 1e3 * (time.process_time() - start)

    from benchmarks.cost.timing import peak_memory_mib

    print(json.dumps({"import_cpu_ms": round(cpu_ms), "peak_mib": round(peak_memory_mib(), 1)}))


if __name__ == "__main__":
    main()
