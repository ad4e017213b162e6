"""The configuration file: strict, and each mistake in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime.apps.kiosk import configuration
from edge_runtime.apps.kiosk.configuration import Configuration, read_configuration
from edge_runtime.errors import UsageError


def written(folder: Path, text: str) -> Path:
    file = folder / "kiosk.toml"
    file.write_text(text)
    return file


def test_without_a_file_nothing_goes_elsewhere() -> None:
    assert read_configuration(None) == Configuration(mqtt=None, hook=None)


def test_the_documented_file_is_read(tmp_path: Path) -> None:
    shown = (configuration.__doc__ or "").split("\n\n")[1:-1]
    text = "\n".join(line.strip() for part in shown for line in part.splitlines())
    with pytest.raises(UsageError, match="expected command or url, found both"):
        read_configuration(written(tmp_path, text))
    lines = [line for line in text.splitlines() if not line.startswith("url")]
    found = read_configuration(written(tmp_path, "\n".join(lines)))
    assert found.camera and found.camera.startswith("rtsp://kiosk:")
    assert found.mqtt and found.mqtt.address == ("broker.local", 8883)
    assert found.hook and found.hook.command == ["/usr/local/bin/greet"]
    assert found.hook.accept_replay_risk
    assert found.proxy.trusted == ["127.0.0.1"] and found.proxy.path_prefix == "/visavox"


@pytest.mark.parametrize(("text", "message"), [
    ("[mqtt]", "missing required field `host`"),
    ("[mqtt]\nhost = 'a'\nprot = 1", "unknown field `prot`"),
    ("[mqtt]\nhost = 'a'\nport = 70000", "`int` <= 65535"),
    ("[mqtt]\nhost = ''", "matching regex"),
    ("[mqtt]\nhost = 'a'\ndevice = 'a/b'", "matching regex"),
    ('[mqtt]\nhost = "a"\ndevice = "a\\n"', "matching regex"),  # which $ would let through
    ('[mqtt]\nhost = "a"\ndiscovery = "ha\\n"', "matching regex"),
    ("[mqtt]\nhost = 'a'\ndiscovery = '$SYS/+'", "matching regex"),
    ("[mqtt]\nhost = 'a'\ndiscovery = 'homeassistant/'", "matching regex"),
    ("[mqtt]\nhost = 'mqtt://kiosk:top-secret@a'", "a host alone"),
    ("[mqtt]\nhost = 'a:1883'", "a host alone"), ("[mqtt]\nhost = 'a..b'", "a host alone"),
    ("[mqtt]\nhost = 'a'\nca_file = 'ca.pem'", "expected tls = true beside ca_file"),
    ("[mqtt]\nhost = 'a'\npassword_file = 'pw'", "expected username beside password_file"),
    ("[mqtt]\nhost = 'a'\nusername = ''", "matching regex"),
    ("[mqtt]\nhost = 'a'\npassword = 'top-secret'", "unknown field `password`"),
    ("[hook]", "expected command or url, found both or neither"),
    ("[hook]\nurl = 'file:///etc/passwd'", "begins with http:// or https://"),
    ("[hook]\nurl = 'http://a:top-secret/'", "a port that is no number"),
    ("[hook]\nurl = 'http://me:1/top-secret@a/'", "an @ behind the host"),
    ("[hook]\nurl = 'http://a/top secret'", "a space"),
    ("[hook]\nurl = 'http://a/#top-secret'", "a fragment (#)"),
    ("[hook]\nurl = 'http://a/\u00e9'", "beyond ASCII"),
    ('[hook]\ncommand = ["a\\u0000"]', "matching regex"),
    ("[hook]\nurl = 'http://a'\ntimeout_s = nan", "`float` > 0"),
    ("", "expected [mqtt], [hook] or camera, found none"),
    ("[hook]\ncommand = []", "length >= 1"),
    ("[hook]\ncommand = 'sh -c x'", "Expected `array"),
    ("[hook]\nurl = 'http://a'\ntimeout_s = 0", "`float` > 0"),
    ("[hook]\nurl = 'http://a'\naccept_replay_risk = 'yes'", "Expected `bool`"),
    ("[hooks]", "unknown field `hooks`"), ("no toml", "kiosk.toml: ")])
def test_mistakes_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        read_configuration(written(tmp_path, text))
    assert message in str(error.value) and "\n" not in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_editor_may_have_saved_it(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text("[mqtt]\r\nhost = 'b\u00fccher.local'\r\n", encoding=encoding, newline="")
    found = read_configuration(file)
    assert found.mqtt and found.mqtt.address == ("b\u00fccher.local", 1883)


@pytest.mark.parametrize("host", ["192.168.1.2", "fe80::1", "kiosk_1.home-net.local", "localhost"])
def test_hosts(tmp_path: Path, host: str) -> None:
    found = read_configuration(written(tmp_path, f"[mqtt]\nhost = '{host}'"))
    assert found.mqtt and found.mqtt.host == host


def test_a_command_may_have_lines(tmp_path: Path) -> None:
    found = read_configuration(written(tmp_path, "[hook]\ncommand = ['sh', '-c', '''a\nb''']"))
    assert found.hook and found.hook.command == ["sh", "-c", "a\nb"]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.toml", tmp_path):
        with pytest.raises(UsageError, match="expected a configuration file"):
            read_configuration(path)
    file = tmp_path / "latin.toml"
    file.write_bytes(b"# \xff")
    with pytest.raises(UsageError, match="latin"):
        read_configuration(file)
