"""What runs on the device: a bundle, a face and a voice in, a decision out.

    from edge_runtime import Gallery, Identifier

This package stands alone: numpy, an interpreter for `.tflite` files, and what reads pictures and
sound files. It never imports TensorFlow, Keras, librosa, or the training and conversion folders.
The errors are those of `edge_runtime.errors`.
"""

from __future__ import annotations

import importlib
from typing import Any

from edge_runtime.errors import (
    BundleError,
    CaptureError,
    ConversionError,
    DuplicateError,
    GalleryError,
    InputError,
    NameTakenError,
    PeopleError,
    RunError,
    UsageError,
    VisavoxError,
)

__version__ = "0.1.0"

# Loaded when they are asked for: a name costs no interpreter, and a decision no cryptography. Their
# types stand in __init__.pyi.
_LATER = {
    "Decision": "edge_runtime.decision.decide",
    "Gallery": "edge_runtime.gallery.store",
    "Identifier": "edge_runtime.decision.identify",
}

__all__ = ["BundleError", "CaptureError", "ConversionError", "Decision", "DuplicateError",
           "Gallery", "GalleryError", "Identifier", "InputError", "NameTakenError", "PeopleError",
           "RunError", "UsageError", "VisavoxError", "__version__"]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
