"""What all rows of a sweep have in common, and where each leaves its result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULT = "result.json"


@dataclass(frozen=True)
class Settings:
    """Options of a sweep. noise: to train with; test_noise and snr_db: for a second test, in noise;
    weights: file of VGG16's ImageNet weights, where it was named."""

    data: Path
    out: Path
    image_size: int = 128
    batch_size: int = 16
    noise: Path | None = None
    test_noise: Path | None = None
    snr_db: float | None = None
    weights: Path | None = None

    def folder(self, row: str, seed: int) -> Path:
        return self.out / row / f"seed{seed}"

    def log(self, row: str, seed: int) -> Path:
        return self.out / row / f"seed{seed}.log"


def read_result(settings: Settings, row: str, seed: int) -> dict[str, Any] | None:
    """The result of a row that is done."""
    file = settings.folder(row, seed) / RESULT
    return json.loads(file.read_text()) if file.is_file() else None
