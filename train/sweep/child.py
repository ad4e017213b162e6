"""The process of one row: everything it prints goes to the row's log.

Nothing heavy is imported above, so that what Keras and its backend print on import goes there too.
"""

from __future__ import annotations

import os
from typing import Any

from train.sweep.plan import Settings


def run_in_child(
    settings: Settings, row: str, seed: int, epochs: int, networks: int
) -> dict[str, Any]:
    """`run_row` by the row's name, its output in a file."""
    log = settings.log(row, seed)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab", buffering=0) as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    from train.sweep.plan import ROWS
    from train.sweep.work import run_row

    return run_row(settings, ROWS[row], seed, epochs, networks)
