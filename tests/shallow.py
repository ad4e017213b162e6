"""Every family with fewer of the transformers that it repeats, each as wide as it is: the graph has
the same operations, and is built, compiled and converted in half the time. VGG16 stays as deep as
it is, which is what its gradients have to get through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from train.models import mobilevit, vit


@contextmanager
def shallow_families() -> Iterator[None]:
    """Networks that are built within are shallow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mobilevit, "DEPTHS", (1, 1, 1))
        for name in ("PAIR", "TOWER"):
            patch.setattr(vit, name, replace(getattr(vit, name), depth=2))
        yield
