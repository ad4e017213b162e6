"""A device whose gallery people come into, and a kiosk at which they are enrolled."""

from __future__ import annotations

from tests.edge_runtime.apps.conftest import (
    enrolling_service,
    gallery,
    kiosk_identifier,
    scene,
    token,
    token_file,
)
from tests.edge_runtime.conftest import device

__all__ = ["device", "enrolling_service", "gallery", "kiosk_identifier", "scene", "token",
           "token_file"]
