"""A device whose gallery people come into, and a kiosk at which they are enrolled."""

from __future__ import annotations

from tests.edge_runtime.gallery.conftest import device
from tests.edge_runtime.kiosk.conftest import (
    enrolling_service,
    gallery,
    kiosk_identifier,
    scene,
    token,
    token_file,
)

__all__ = ["device", "enrolling_service", "gallery", "kiosk_identifier", "scene", "token",
           "token_file"]
