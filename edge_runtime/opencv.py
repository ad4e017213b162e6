"""OpenCV, which only faces on whole pictures and cameras need."""

from __future__ import annotations

from typing import Any

from edge_runtime.errors import UsageError


def opencv() -> Any:
    """The module cv2. UsageError says how to install it where it is missing or does not load."""
    try:
        import cv2
    except ModuleNotFoundError:
        raise UsageError("expected OpenCV, which finds faces on pictures, found none; "
                         "pip install 'visavox[capture]'") from None
    except ImportError as error:  # libGL, where there is no screen
        reason = " ".join(str(error).split())
        raise UsageError(f"OpenCV does not load ({reason}); on a machine without a screen, pip "
                         "uninstall opencv-python, then pip install 'opencv-python-headless<5'"
                         ) from None
    return cv2
