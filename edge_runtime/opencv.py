"""OpenCV, which only faces on whole pictures and cameras need."""

from __future__ import annotations

import os
from typing import Any

from edge_runtime.errors import UsageError


def opencv() -> Any:
    """The module cv2, which says nothing on the screen. UsageError says how to install it where it
    is missing or does not load."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3")  # seconds, of a read
    try:
        import cv2
    except ModuleNotFoundError:
        raise UsageError("expected OpenCV, for cameras and faces on pictures, found none; "
                         "pip install 'visavox[capture]'") from None
    except ImportError as error:  # libGL, where there is no screen
        reason = " ".join(str(error).split())
        raise UsageError(f"OpenCV does not load ({reason}); on a machine without a screen, pip "
                         "uninstall opencv-python, then pip install 'opencv-python-headless<5'"
                         ) from None
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2
