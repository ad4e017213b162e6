"""Files of somebody and a bundle that knows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.people import index_people, test_pairs

Change = Callable[[dict[str, Any]], Path]


@pytest.fixture(scope="session")
def pair(small_people: Path) -> tuple[Path, Path]:
    """A face and a clip of synthetic_001 that training has not seen."""
    face, clip = test_pairs(index_people(small_people))[0]
    return small_people / face.path, small_people / clip.path


@pytest.fixture
def bundle(changed_bundle: Change) -> Path:
    return changed_bundle({})
