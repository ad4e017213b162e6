"""Folders that are made as a whole or not at all, and found again by the next run."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from edge_runtime import places
from edge_runtime.errors import UsageError

RECORD = "made.json"


def cache_folder() -> Path:
    """Where a user's caches are."""
    return places.cache_folder() / "device"


def made_once(cache: Path, name: str, recipe: object, make: Callable[[Path], object]) -> Path:
    """The folder `name`, made by `make(folder)` unless one of the same recipe is there.

    recipe: what its content hangs on. UsageError where files have been lost or changed since.
    """
    digest = hashlib.sha256(repr(recipe).encode()).hexdigest()[:8]
    folder = cache / f"{name}-{digest}"
    if folder.is_dir():
        _check(folder)
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".making-", dir=cache))
    try:
        make(partial)
        (partial / RECORD).write_text(json.dumps(_content(partial)), encoding="utf-8")
        partial.chmod(0o755)
        try:
            partial.rename(folder)
        except OSError:  # another process was quicker
            _check(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _check(folder: Path) -> None:
    try:
        expected = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        expected = None
    if expected != (found := _content(folder)):
        raise UsageError(f"{folder}: the cache is damaged (expected {_said(expected)}, found "
                         f"{_said(found)}); delete that folder and run this again")


def _content(folder: Path) -> dict[str, int]:
    """How many files there are and their bytes, without what Python there adds by itself."""
    sizes = [path.lstat().st_size for path in folder.rglob("*")
             if path.name != RECORD and "__pycache__" not in path.parts and not path.is_dir()]
    return {"files": len(sizes), "bytes": sum(sizes)}


def _said(content: dict[str, int] | None) -> str:
    return f"{content['files']} files, {content['bytes']} bytes" if content else "its record"
