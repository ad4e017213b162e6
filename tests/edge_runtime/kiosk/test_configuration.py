"""The configuration file: strict, and each mistake in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime.errors import UsageError
from edge_runtime.kiosk import configuration
from edge_runtime.kiosk.configuration import Configuration, read_configuration


def written(folder: Path, text: str) -> Path:
    file = folder / "kiosk.toml"
    file.write_text(text)
    return file


def test_without_a_file_nothing_goes_elsewhere() -> None:
    assert read_configuration(None) == Configuration(mqtt=None, hook=None)


def test_the_documented_file_is_read(tmp_path: Path) -> None:
    shown = (configuration.__doc__ or "").split("\n\n")[1:3]
    text = "\n".join(line.strip() for part in shown for line in part.splitlines())
    with pytest.raises(UsageError, match="expected command or url, found both"):
        read_configuration(written(tmp_path, text))
    lines = [line for line in text.splitlines() if not line.startswith("url")]
    found = read_configuration(written(tmp_path, "\n".join(lines)))
    assert found.mqtt and found.mqtt.host == "broker.local" and found.mqtt.port == 1883
    assert found.hook and found.hook.command == ["/usr/local/bin/greet"]
    assert found.hook.accept_replay_risk


@pytest.mark.parametrize(("text", "message"), [
    ("[mqtt]", "missing required field `host`"),
    ("[mqtt]\nhost = 'a'\nprot = 1", "unknown field `prot`"),
    ("[mqtt]\nhost = 'a'\nport = 70000", "`int` <= 65535"),
    ("[mqtt]\nhost = ''", "length >= 1"),
    ("[mqtt]\nhost = 'a'\ndevice = 'a/b'", "matching regex"),
    ("[hook]", "expected command or url, found both or neither"),
    ("[hook]\nurl = 'file:///etc/passwd'", "begins with http:// or https://"),
    ("[hook]\ncommand = []", "length >= 1"),
    ("[hook]\ncommand = 'sh -c x'", "Expected `array"),
    ("[hook]\nurl = 'http://a'\ntimeout_s = 0", "`float` > 0"),
    ("[hook]\nurl = 'http://a'\naccept_replay_risk = 'yes'", "Expected `bool`"),
    ("[hooks]", "unknown field `hooks`"), ("no toml", "kiosk.toml: ")])
def test_mistakes_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        read_configuration(written(tmp_path, text))
    assert message in str(error.value) and "\n" not in str(error.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.toml", tmp_path):
        with pytest.raises(UsageError, match="expected a configuration file"):
            read_configuration(path)
    file = tmp_path / "latin.toml"
    file.write_bytes(b"# \xff")
    with pytest.raises(UsageError, match="latin"):
        read_configuration(file)
