"""A hook for each decision: not before the risk is accepted, never for longer than its time."""

from __future__ import annotations

import base64
import http.server
import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.apps.kiosk.configuration import HookSettings
from edge_runtime.apps.kiosk.events import DecisionEvent
from edge_runtime.apps.kiosk.hooks import Hook
from edge_runtime.apps.kiosk.metrics import Metrics
from edge_runtime.decision.decide import Decision
from tests.edge_runtime.apps.kiosk.stand_ins import wait_until

ANNA = DecisionEvent(
    Decision("Anna", "accepted", ("Anna",), {"fused": np.array([0.9], np.float32)}),
    "2026-01-01T00:00:00.000+00:00")


def command(code: str, accepted: bool = True, timeout_s: float = 5.0) -> HookSettings:
    return HookSettings(command=[sys.executable, "-S", "-c", code], accept_replay_risk=accepted,
                        timeout_s=timeout_s)


def count(metrics: Metrics, result: str) -> float:
    return float(metrics.hooks.labels(result)._value.get())


def test_a_command_gets_the_decision_and_no_secret(
    metrics: Metrics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISAVOX_DEVICE_KEY", "secret")
    out = tmp_path / "out"
    code = f"import os, sys; open({str(out)!r}, 'w').write(sys.stdin.read() + repr(os.environ))"
    with Hook(command(code), metrics) as hook:
        hook.decided(ANNA)
        wait_until(lambda: count(metrics, "done") == 1)
    content, _, environment = out.read_text().partition("environ(")
    assert json.loads(content) == ANNA.message()
    assert "VISAVOX" not in environment and "PATH" in environment


def test_it_does_not_run_before_the_risk_is_accepted(
    metrics: Metrics, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "out"
    with caplog.at_level(logging.WARNING), Hook(
            command(f"open({str(out)!r}, 'w')", accepted=False), metrics) as hook:
        hook.decided(ANNA)
        time.sleep(0.5)
    assert not out.exists() and "accept_replay_risk = true" in caplog.text


def test_a_command_that_hangs_is_killed_with_its_children(
    metrics: Metrics, tmp_path: Path
) -> None:
    out = tmp_path / "alive"
    child = f"import time; time.sleep(2); open({str(out)!r}, 'w')"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {child!r}])"
    with Hook(command(code, timeout_s=0.5), metrics) as hook:
        hook.decided(ANNA)
        wait_until(lambda: count(metrics, "too_slow") == 1)
    time.sleep(2)
    assert not out.exists()


@pytest.mark.parametrize("settings", [
    command("raise SystemExit(3)"), HookSettings(command=["/no/such"], accept_replay_risk=True),
    HookSettings(url="http://127.0.0.1:1/", accept_replay_risk=True)])
def test_a_hook_that_fails_is_noted(metrics: Metrics, settings: HookSettings) -> None:
    with Hook(settings, metrics) as hook:
        hook.decided(ANNA)
        wait_until(lambda: count(metrics, "failed") == 1)
        hook.decided(ANNA)
        wait_until(lambda: count(metrics, "failed") == 2)


def test_a_slow_hook_holds_nothing_up(metrics: Metrics) -> None:
    with Hook(command("import time; time.sleep(9)", timeout_s=0.3), metrics) as hook:
        start_s = time.monotonic()
        for _ in range(40):
            hook.decided(ANNA)
        assert time.monotonic() - start_s < 0.3
        assert count(metrics, "dropped") >= 18


def test_who_came_long_ago_is_left_out(metrics: Metrics, tmp_path: Path) -> None:
    """The second waits behind a slow first, for longer than it holds."""
    clock_s = [0.0]
    go, out = tmp_path / "go", tmp_path / "out"
    code = (f"import os, sys, time\nopen({str(out)!r}, 'a').write(sys.stdin.read())\n"
            f"while not os.path.exists({str(go)!r}): time.sleep(0.01)")
    with Hook(command(code, timeout_s=60), metrics, lambda: clock_s[0]) as hook:
        hook.decided(ANNA)
        wait_until(out.exists)
        hook.decided(ANNA)
        clock_s[0] = 11.0
        hook.decided(ANNA)
        go.touch()
        wait_until(lambda: count(metrics, "late") == 1)
        wait_until(lambda: count(metrics, "done") == 2)
    assert out.read_text().count('"Anna"') == 2 * json.dumps(ANNA.message()).count('"Anna"')


class _Receiver(http.server.BaseHTTPRequestHandler):
    received: list[tuple[str, dict[str, Any]]]
    users: list[str | None]
    slow = False
    status = 204

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((self.path, json.loads(content)))
        self.users.append(self.headers["Authorization"])
        self.wfile.write(f"HTTP/1.0 {self.status} x\r\n".encode())
        for _ in range(100 if self.slow else 0):  # each read is in time, all of them are not
            self.wfile.write(b"X: y\r\n")
            time.sleep(0.1)
        self.wfile.write(b"\r\n")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[tuple[type[_Receiver], str]]:
    handler = type("Receiver", (_Receiver,), {"received": [], "users": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield handler, f"http://127.0.0.1:{server.server_address[1]}/hook?of=kiosk"
        server.shutdown()


def test_a_webhook(metrics: Metrics, receiver: tuple[type[_Receiver], str]) -> None:
    handler, url = receiver
    with Hook(HookSettings(url=url, accept_replay_risk=True), metrics) as hook:
        hook.decided(ANNA)
        wait_until(lambda: count(metrics, "done") == 1)
        handler.status = 500
        hook.decided(ANNA)
        wait_until(lambda: count(metrics, "failed") == 1)
    assert handler.received[0] == ("/hook?of=kiosk", json.loads(json.dumps(ANNA.message())))


def test_a_webhook_with_a_password(
    metrics: Metrics, receiver: tuple[type[_Receiver], str], caplog: pytest.LogCaptureFixture
) -> None:
    handler, url = receiver
    url = url.replace("http://", "http://me:top%2Fsecret@")
    with Hook(HookSettings(url=url, accept_replay_risk=True), metrics) as hook:
        hook.decided(ANNA)
        wait_until(lambda: count(metrics, "done") == 1)
        handler.status = 500
        hook.decided(ANNA)
        wait_until(lambda: count(metrics, "failed") == 1)
    assert handler.users[0] == f"Basic {base64.b64encode(b'me:top/secret').decode()}"
    assert "secret" not in caplog.text and "of=kiosk" not in caplog.text


def test_a_webhook_that_drips_is_cut_off(
    metrics: Metrics, receiver: tuple[type[_Receiver], str]
) -> None:
    handler, url = receiver
    handler.slow = True
    with Hook(HookSettings(url=url, timeout_s=0.5, accept_replay_risk=True), metrics) as hook:
        start_s = time.monotonic()
        hook.decided(ANNA)
        wait_until(lambda: count(metrics, "too_slow") == 1)
        assert time.monotonic() - start_s < 3
