"""What a gallery refuses, and a bundle of other networks to be refused."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from edge_runtime.bundle.manifest import Manifest
from edge_runtime.errors import GalleryError


def with_networks(manifest: Manifest, **sha256: str) -> Manifest:
    """The same manifest with other networks behind it."""
    files = dict(manifest.files)
    for modality, value in sha256.items():
        files[modality] = msgspec.structs.replace(files[modality], sha256=value)
    return msgspec.structs.replace(manifest, files=files)


def refusal(do: Callable[[], object]) -> str:
    with pytest.raises(GalleryError) as caught:
        do()
    assert "\n" not in str(caught.value)
    return str(caught.value)
