"""Where a user's own files are, also of a user who has no home."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from benchmarks.device.debian import cache_folder
from edge_runtime.apps.cli import main
from edge_runtime.apps.cli.kiosk import _user
from edge_runtime.apps.kiosk.tokens import default_token_file
from edge_runtime.doctor import bundles
from edge_runtime.doctor.machine import Machine
from edge_runtime.errors import UsageError
from edge_runtime.gallery.keys import default_key_file


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of `docker run --user 54321`: no HOME, and no line in /etc/passwd."""
    def nobody(uid: int) -> pwd.struct_passwd:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "USER", "LOGNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)


def test_no_home_is_one_line_with_the_way_out(no_home: None) -> None:
    for place, remedy in ((default_key_file, "--key or $VISAVOX_DEVICE_KEY"),
                          (default_token_file, "--token-file"), (cache_folder, "XDG_CACHE_HOME")):
        with pytest.raises(UsageError, match="found none for this user") as caught:
            place()
        assert remedy in str(caught.value) and "\n" not in str(caught.value)


def test_a_user_without_a_name_is_a_number(
    no_home: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getuid", lambda: 54321)
    assert _user() == "54321"


def test_what_needs_no_home_does_without(
    no_home: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A unit whose key is named, and the doctor's look at the key."""
    (tmp_path / "g.db").touch()
    named = ("--bundle", str(tmp_path), "--token-file", str(tmp_path / "token"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shutil.which", lambda program: f"/usr/bin/{program}")
        assert main(["kiosk", *named, "--print-systemd"]) == 0
        assert main(["kiosk", *named, "--gallery", str(tmp_path / "g.db"), "--key",
                     str(tmp_path / "keys" / "k"), "--print-systemd"]) == 0
    assert f"ReadWritePaths=-{tmp_path / 'keys'}" in capsys.readouterr().out
    check = next(check for check in bundles.GALLERY_CHECKS if check.name == "key")
    assert list(check.look(Machine())) == []
    [finding] = check.look(Machine(gallery=tmp_path / "g.db"))
    assert finding.code == "key-unusable" and "home folder" in finding.found


def test_the_specification_is_followed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for ignored in ("", "relative/folder"):
        monkeypatch.setenv("XDG_CONFIG_HOME", ignored)
        assert default_key_file() == tmp_path / ".config" / "visavox" / "device.key"
    monkeypatch.setenv("XDG_CONFIG_HOME", "/elsewhere")
    assert default_key_file() == Path("/elsewhere/visavox/device.key")
