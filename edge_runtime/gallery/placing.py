"""A finished file gets its name, unless another program was quicker: also without hard links."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from pathlib import Path

from edge_runtime.errors import GalleryError

# What link(2) says on FAT, exFAT, SMB, sshfs, virtiofs and Android.
_WITHOUT_LINKS = {errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS,
                  errno.EMLINK}
_WAIT_S = 10.0


def place_new(draft: Path, path: Path) -> None:
    """Give `draft` the name `path` where no file has it; where one has, that one stays. The draft
    may be left, for the caller to delete."""
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    except OSError as error:
        if error.errno not in _WITHOUT_LINKS:
            raise
        _place_alone(draft, path)


def _place_alone(draft: Path, path: Path) -> None:
    """A folder is made by one program alone on every file system, so that it serves as a lock."""
    lock = path.with_name(f"{path.name}.lock")
    until_s = time.monotonic() + _WAIT_S
    while True:
        try:
            lock.mkdir()
            break
        except FileExistsError:
            if time.monotonic() > until_s:
                raise GalleryError(f"{path}: expected to make this file, found another program at "
                                   f"it for {_WAIT_S:.0f} s; end it, or delete the folder {lock}"
                                   ) from None
            time.sleep(0.05)
    try:
        if not path.exists():
            draft.replace(path)
    finally:
        lock.rmdir()
