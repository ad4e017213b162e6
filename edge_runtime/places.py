"""Where a user's own files are, by the XDG Base Directory Specification."""

from __future__ import annotations

import os
from pathlib import Path

from edge_runtime.errors import UsageError


def config_folder(remedy: str) -> Path:
    """Visavox's folder of keys and settings; UsageError with the remedy where nobody's home is
    known, as of a user without a line in /etc/passwd."""
    return _folder("XDG_CONFIG_HOME", ".config", remedy)


def cache_folder() -> Path:
    """Visavox's folder of what can be made again."""
    return _folder("XDG_CACHE_HOME", ".cache", "set HOME or XDG_CACHE_HOME")


def _folder(variable: str, below_home: str, remedy: str) -> Path:
    named = Path(os.environ.get(variable, ""))
    if named.is_absolute():  # the specification has others ignored
        return named / "visavox"
    try:
        return Path.home() / below_home / "visavox"
    except RuntimeError:
        raise UsageError("expected a home folder, found none for this user (HOME is not set); "
                         f"{remedy}") from None
