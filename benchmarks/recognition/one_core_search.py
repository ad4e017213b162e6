"""Searches among enrolled people on one core, in a process of its own:
`python -m benchmarks.recognition.one_core_search ROUNDS PEOPLE...`.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from dataclasses import asdict

EMBEDDING_DIM = 320  # of mobilevit_xxs_edge, face and voice alike
NUM_TOP = 5


def main() -> None:
    """Print, for each number of people, the times of a search and of filling the index."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for library in ("OPENBLAS", "OMP", "MKL"):  # before numpy loads them
        os.environ[f"{library}_NUM_THREADS"] = "1"
    import numpy as np

    from benchmarks.cost.timing import Distribution, interleaved_ms
    from edge_runtime.gallery.roster import TemplateIndex

    rounds, counts = int(sys.argv[1]), [int(count) for count in sys.argv[2:]]
    rng = np.random.default_rng(0)
    results = []
    for count in counts:
        templates = rng.standard_normal((count + 1, EMBEDDING_DIM), dtype=np.float32)
        templates /= np.linalg.norm(templates, axis=1, keepdims=True)
        index = TemplateIndex(EMBEDDING_DIM)
        start = time.perf_counter()
        index.extend([number.to_bytes(16, "big") for number in range(count)], templates[:count])
        fill_ms = 1e3 * (time.perf_counter() - start)
        search = functools.partial(index.best, templates[count], NUM_TOP)
        times = interleaved_ms({"search": search}, rounds)["search"]
        results.append({"people": count, **asdict(Distribution.of(times)),
                        "fill_ms": round(fill_ms, 2),
                        "index_mib": round(templates[:count].nbytes / 2**20, 1)})
    print(json.dumps({"results": results}))


if __name__ == "__main__":
    main()
