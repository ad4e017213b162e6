"""What all rows of a sweep have in common, and where each leaves its result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_runtime.errors import RunError

RESULT = "result.json"


@dataclass(frozen=True)
class Settings:
    """Options of a sweep. voice_epochs: of pairs, where their face network trains for another
    number; head_epochs: of rows that train a head on frozen networks, where others train for
    another number; noise: to train with; test_noise and snr_db: for a second test, in noise;
    weights: file of VGG16's ImageNet weights, where it was named."""

    data: Path
    out: Path
    image_size: int = 128
    batch_size: int = 16
    noise: Path | None = None
    test_noise: Path | None = None
    snr_db: float | None = None
    weights: Path | None = None
    voice_epochs: int | None = None
    head_epochs: int | None = None

    def folder(self, row: str, seed: int) -> Path:
        return self.out / row / f"seed{seed}"

    def log(self, row: str, seed: int) -> Path:
        return self.out / row / f"seed{seed}.log"


def read_result(settings: Settings, row: str, seed: int) -> dict[str, Any] | None:
    """The result of a row that is done. RunError where its file is damaged."""
    return read_json(settings.folder(row, seed) / RESULT)


def read_json(file: Path) -> dict[str, Any] | None:
    """What a sweep left in a file; None where there is none. RunError where it is damaged."""
    try:
        content = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
    except ValueError:
        content = False
    if content is None or isinstance(content, dict):
        return content
    raise RunError(f"{file}: expected what a sweep left there, found a damaged file; delete it, "
                   "and the sweep does that part again")


def write_json(file: Path, content: dict[str, Any]) -> None:
    """As a whole or not at all."""
    partial = file.with_name(f"{file.name}.partial")
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    partial.replace(file)
