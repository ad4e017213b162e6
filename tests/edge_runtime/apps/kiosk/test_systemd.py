"""The unit that systemd takes, and what it is told."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from edge_runtime.apps.cli import main
from edge_runtime.apps.kiosk import systemd


def test_the_unit_is_clean(
    changed_bundle: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt install systemd)")
    folder = tmp_path / "odd $name 100%"
    folder.mkdir()
    assert main(["kiosk", "--bundle", str(folder), "--gallery", str(folder / "g.db"),
                 "--microphone", "USB PnP", "--port", "9000", "--print-systemd"]) == 0
    text = capsys.readouterr().out
    assert f'--bundle "{str(folder).replace("$", "$$").replace("%", "%%")}"' in text
    assert '--microphone "USB PnP"' in text and "--print-systemd" not in text
    assert "--port 9000" in text and "WatchdogSec=30" in text
    file = tmp_path / "visavox.service"
    file.write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_word_adds_a_line_to_the_unit() -> None:
    text = systemd.unit(["/bin/visavox", "--bundle", "a\nExecStartPre=/bin/other\x1b"], "anna")
    assert '--bundle "a\\x0aExecStartPre=/bin/other\\x1b"' in text
    assert not any(line.startswith("ExecStartPre") for line in text.splitlines())


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    address = str(tmp_path / "notify")
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(address)
    receiver.settimeout(5)
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    return receiver


def test_systemd_is_told(told: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    systemd.notify("READY=1")
    assert told.recv(100) == b"READY=1"
    told.close()
    systemd.notify("STOPPING=1")  # nobody listens: no fault
    monkeypatch.setenv("NOTIFY_SOCKET", "@no such abstract socket")
    systemd.notify("READY=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    systemd.notify("READY=1")


def test_the_watchdog_is_fed_while_the_loop_looks(
    told: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    alive = [True, True, False]

    async def run() -> None:
        with pytest.raises(IndexError):
            await systemd.watched(lambda: alive.pop(0))

    asyncio.run(run())
    told.setblocking(False)
    assert [told.recv(100) for _ in range(2)] == [b"WATCHDOG=1"] * 2
    with pytest.raises(BlockingIOError):
        told.recv(100)


def test_without_a_watchdog_nothing_is_fed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    asyncio.run(asyncio.wait_for(systemd.watched(lambda: True), 1))
