"""The device key: made once, readable by its owner alone, or from the environment."""

from __future__ import annotations

import base64
import threading
from pathlib import Path

import pytest

from edge_runtime.errors import GalleryError
from edge_runtime.gallery.keys import VARIABLE, default_key_file, device_key


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_made_on_first_use(key_file: Path) -> None:
    key = device_key(key_file, create=True)
    assert len(key) == 32 and key_file.stat().st_mode & 0o777 == 0o600
    assert key_file.parent.stat().st_mode & 0o777 == 0o700
    assert device_key(key_file) == device_key(key_file, create=True) == key
    assert [path.name for path in key_file.parent.iterdir()] == ["device.key"]


def test_an_editor_may_have_saved_it(key_file: Path) -> None:
    key = device_key(key_file, create=True)
    key_file.write_bytes(b"\xef\xbb\xbf" + key_file.read_bytes().replace(b"\n", b"\r\n"))
    assert device_key(key_file) == key


def test_never_made_without_being_asked(key_file: Path) -> None:
    with pytest.raises(GalleryError, match="the device key is missing"):
        device_key(key_file)
    assert not key_file.exists()


def test_the_default_file(tmp_path: Path) -> None:
    key = device_key(create=True)
    assert default_key_file() == tmp_path / "config" / "visavox" / "device.key"
    assert device_key(default_key_file()) == key


def test_the_variable_before_the_default_file_and_after_a_named_one(
    key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = device_key(key_file, create=True)
    device_key(create=True)
    given = bytes(range(32))
    monkeypatch.setenv(VARIABLE, base64.b64encode(given).decode())
    assert device_key() == given
    assert device_key(key_file) == named


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o660, 0o601])
def test_readable_by_others(key_file: Path, mode: int) -> None:
    device_key(key_file, create=True)
    key_file.chmod(mode)
    with pytest.raises(GalleryError, match=rf"found mode 0{mode:o}; 'chmod 600 "):
        device_key(key_file)
    with pytest.raises(GalleryError, match="chmod 600"):
        device_key(key_file, create=True)


@pytest.mark.parametrize(("content", "reason"), [
    (b"", "found that of 0"), (b"hello", "found something else"),
    (base64.b64encode(bytes(16)), "found that of 16"), (bytes(range(200)), "something else"),
    (base64.b64encode(bytes(32)) + b"!", "something else"),
])
def test_no_key_in_the_file(key_file: Path, content: bytes, reason: str) -> None:
    key_file.parent.mkdir()
    key_file.touch(mode=0o600)
    key_file.write_bytes(content)
    with pytest.raises(GalleryError, match=reason):
        device_key(key_file, create=True)
    assert key_file.read_bytes() == content


def test_no_key_in_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "secret")
    with pytest.raises(GalleryError, match=r"\$VISAVOX_DEVICE_KEY: expected the base64 of 32"):
        device_key(create=True)


def test_a_folder_for_a_key(tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match="expected a device key"):
        device_key(tmp_path)


def test_many_at_once_make_one_key(key_file: Path) -> None:
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(device_key(key_file, create=True)))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1
