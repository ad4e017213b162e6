"""New files where the file system has no hard links, or keeps no modes."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from edge_runtime.bundle.manifest import Manifest
from edge_runtime.errors import GalleryError
from edge_runtime.gallery import keys
from edge_runtime.gallery.store import Gallery


def without_links(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.parametrize("name", ["EPERM", "EOPNOTSUPP", "EACCES", "ENOSYS", "EMLINK"])
def test_key_and_gallery_without_hard_links(
    path: Path, key_file: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    without_links(monkeypatch, getattr(errno, name))
    with Gallery.open(path, manifest, key_file, mode="create") as gallery:
        assert gallery.people() == []
    Gallery.open(path, manifest, key_file, mode="create").close()
    assert [file.name for file in path.parent.iterdir()] == ["gallery.db"]
    assert sorted(file.name for file in key_file.parent.iterdir()) == ["device.key", "galleries"]


def test_another_error_is_not_hidden(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_links(monkeypatch, errno.ENOSPC)
    with pytest.raises(OSError, match="No space left"):
        keys.device_key(key_file, create=True)
    assert list(key_file.parent.iterdir()) == []


def test_many_at_once_make_one_key(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_links(monkeypatch, errno.EOPNOTSUPP)
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(
        keys.device_key(key_file, create=True))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1
    assert [file.name for file in key_file.parent.iterdir()] == ["device.key"]


def test_who_was_first_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_links(monkeypatch, errno.EPERM)
    first, draft = tmp_path / "file", tmp_path / "draft"
    first.write_text("first")
    draft.write_text("second")
    keys.place_new(draft, first)
    assert first.read_text() == "first"


def test_a_lock_that_a_power_cut_left_is_named(
    key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_links(monkeypatch, errno.EPERM)
    monkeypatch.setattr(keys, "_WAIT_S", 0.0)
    lock = key_file.with_name("device.key.lock")
    lock.mkdir(parents=True)
    with pytest.raises(GalleryError, match=rf"delete the folder {lock}"):
        keys.device_key(key_file, create=True)
    lock.rmdir()
    assert len(keys.device_key(key_file, create=True)) == 32


def test_where_chmod_does_nothing(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file has mode 0777: a new key is not left there, and what helps is said."""
    make = keys.tempfile.mkstemp

    def open_to_all(**options: str) -> tuple[int, str]:
        descriptor, name = make(**options)
        os.fchmod(descriptor, 0o777)
        return descriptor, name

    monkeypatch.setattr(keys.tempfile, "mkstemp", open_to_all)
    with pytest.raises(GalleryError, match="found mode 0777") as caught:
        keys.device_key(key_file, create=True)
    for remedy in ("chmod 600", "umask=077", "--key", "$VISAVOX_DEVICE_KEY"):
        assert remedy in str(caught.value)
    assert list(key_file.parent.iterdir()) == []
