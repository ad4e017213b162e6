"""`visavox kiosk` as a process: mistakes in one line, a demo that plays, a killed camera."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import msgspec
import numpy as np
import pytest
import soundfile

from edge_runtime.apps.cli import main
from edge_runtime.signals.voice import SAMPLE_RATE
from tests.edge_runtime.apps.conftest import ALL_NAMED
from tests.edge_runtime.apps.kiosk.stand_ins import room, speech, wait_until

Change = Callable[[dict[str, Any]], Path]
ROOT = Path(__file__).parents[4]
RUN = "import sys; from edge_runtime.apps.cli import main; sys.exit(main())"


@pytest.fixture
def bundle(changed_bundle: Change) -> Path:
    return changed_bundle({"thresholds": msgspec.to_builtins(ALL_NAMED)})


@pytest.fixture
def demo(bundle: Path, tmp_path: Path) -> Path:
    """A folder as `make demo` leaves it."""
    folder = tmp_path / "demo"
    folder.mkdir()
    bundle.rename(folder / "bundle")
    writer = cv2.VideoWriter(str(folder / "scene.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10,
                             (640, 480))
    for picture in [np.full((480, 640, 3), 120, np.uint8)] * 30 + [room(1)] * 20:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()
    soundfile.write(folder / "scene.wav", speech(1, 5.0), SAMPLE_RATE)
    return folder


class Process:
    """`visavox kiosk` on a free port."""

    def __init__(self, *arguments: object, folder: Path) -> None:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(folder)}
        self.child = subprocess.Popen(
            [sys.executable, "-c", RUN, "kiosk", "--port", "0", *map(str, arguments)],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.client = httpx.Client(timeout=10)
        lines = []
        assert self.child.stdout
        for line in self.child.stdout:
            lines.append(line)
            if found := re.search(r"at (https?://[^/]+)/", line):
                self.url = found[1]
                break
        assert hasattr(self, "url"), lines

    def state(self) -> str:
        return str(self.status()["state"])

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"{self.url}/api/status").json()
        return found

    def end(self) -> int:
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(20)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def begin(*arguments: object) -> Process:
        started.append(Process(*arguments, folder=tmp_path / "config"))
        return started[-1]

    yield begin
    for process in started:
        process.child.kill()
        process.child.wait()


def test_the_demo_plays_again_and_again(start: Callable[..., Process], demo: Path) -> None:
    kiosk = start("--demo", demo)
    for wanted in ("known", "idle", "known"):
        wait_until(lambda wanted=wanted: kiosk.state() == wanted, 30)
    assert kiosk.end() == 0


def test_a_killed_camera_process_is_started_again(
    start: Callable[..., Process], bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program in the place of rpicam-vid, killed while the kiosk runs."""
    (tmp_path / "room.jpg").write_bytes(cv2.imencode(".jpg", room(1)[..., ::-1])[1].tobytes())
    program = tmp_path / "bin" / "rpicam-vid"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho $$ >> {tmp_path}/pids\nwhile sleep 0.1; do "
                       f"cat {tmp_path}/room.jpg; done\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    kiosk = start("--bundle", bundle, "--camera", "rpicam", "--microphone", "none")

    def camera() -> str:
        return str(kiosk.status()["camera"]["state"])

    wait_until(lambda: kiosk.state() == "known", 30)
    pids = tmp_path / "pids"
    for killed in range(2):
        os.kill(int(pids.read_text().split()[-1]), signal.SIGKILL)
        wait_until(lambda killed=killed: len(pids.read_text().split()) > killed + 1, 20)
        wait_until(lambda: camera() == "ok", 20)
    assert kiosk.state() in ("known", "looking") and kiosk.end() == 0


def test_without_devices_it_says_so_and_goes_on(
    start: Callable[..., Process], bundle: Path, tmp_path: Path
) -> None:
    kiosk = start("--bundle", bundle, "--camera", tmp_path, "--microphone", "none")
    for _ in range(3):
        assert kiosk.client.get(f"{kiosk.url}/healthz").status_code == 200
        time.sleep(0.3)
    assert kiosk.end() == 0


def test_a_new_token_works(
    start: Callable[..., Process], bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "token.json"
    assert main(["kiosk", "--set-token", "--token-file", str(file)]) == 0
    token = capsys.readouterr().out.strip()
    kiosk = start("--bundle", bundle, "--camera", "none", "--microphone", "none", "--token-file",
                  file, "--gallery", tmp_path / "g.db", "--key", tmp_path / "key")
    answer = httpx.get(f"{kiosk.url}/api/people", headers={"Authorization": f"Bearer {token}"})
    assert answer.json() == {"people": []} and kiosk.end() == 0


def test_with_tls_and_a_token_others_are_let_in(
    start: Callable[..., Process], bundle: Path, tmp_path: Path, certificate: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "token.json"
    assert main(["kiosk", "--set-token", "--token-file", str(file)]) == 0
    capsys.readouterr()
    kiosk = start("--bundle", bundle, "--camera", "none", "--microphone", "none", "--host",
                  "0.0.0.0", "--tls-cert", certificate[0], "--tls-key", certificate[1],
                  "--token-file", file)
    port = kiosk.url.rpartition(":")[2]
    trusted = ssl.create_default_context(cafile=certificate[0])
    answer = httpx.get(f"https://localhost:{port}/healthz", verify=trusted)
    assert answer.status_code == 200 and answer.headers["Strict-Transport-Security"]
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://localhost:{port}/healthz")
    assert kiosk.end() == 0


@pytest.mark.parametrize(("arguments", "message"), [
    ([], "expected a BUNDLE, or --demo FOLDER, found neither"),
    (["--demo", "nowhere"], "--demo expects a folder as 'make demo' leaves it"),
    (["--bundle", "nowhere"], "expected a bundle"),
    (["--bundle", "BUNDLE", "--camera", "nowhere.mp4"], "--camera expects auto"),
    (["--bundle", "BUNDLE", "--host", "0.0.0.0"], "expected --tls-cert and --tls-key and a token"),
    (["--bundle", "BUNDLE", "--host", "kiosk.invalid", "--tls-cert", "x", "--tls-key", "x"],
     "x: no such file"),
    (["--bundle", "BUNDLE", "--tls-cert", "x"], "--tls-cert FILE and --tls-key FILE go together"),
    (["--bundle", "BUNDLE", "--tls-cert", "BUNDLE/manifest.json", "--tls-key",
      "BUNDLE/manifest.json", "--camera", "none"], "expected a certificate and its key"),
    (["--bundle", "BUNDLE", "--trusted-proxy", "proxy.lan"], "expected an address (127.0.0.1)"),
    (["--bundle", "BUNDLE", "--path-prefix", "visavox"], "expected a path such as /visavox"),
    (["--bundle", "BUNDLE", "--port", "99999999"], "cannot listen on 127.0.0.1"),
    (["--bundle", "BUNDLE", "--port", "TAKEN"], "Address already in use"),
    (["--bundle", "BUNDLE", "--config", "none.toml"], "expected a configuration file"),
    (["--bundle", "BUNDLE", "--key", "x"], "--key does nothing without --gallery"),
    (["--bundle", "BUNDLE", "--set-token"], "--set-token makes a token and stops"),
    (["--set-token", "--print-systemd"], "found --print-systemd; run it by itself"),
    (["--demo", "DEMO", "--bundle", "BUNDLE", "--camera", "0", "--microphone", "none"],
     "--demo does nothing beside"),
    (["--bundle", "BUNDLE", "--camera", "0", "--config", "CONFIG"], "found both; leave one out"),
    (["--bundle", "BUNDLE", "--config", "CONFIG"], "a port that is no number"),
    (["--bundle", "BUNDLE", "--token-file", "BUNDLE/manifest.json"], "expected the hash")])
def test_mistakes(
    bundle: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        demo = tmp_path / "demo"
        demo.mkdir()
        for name in ("bundle", "scene.mp4", "scene.wav"):
            (demo / name).touch()
        (tmp_path / "kiosk.toml").write_text('camera = "rtsp://me:top/secret@camera"')
        words = {"BUNDLE": str(bundle), "TAKEN": str(taken.getsockname()[1]), "DEMO": str(demo),
                 "CONFIG": str(tmp_path / "kiosk.toml")}
        named = [re.sub("|".join(words), lambda found: words[found[0]], word)
                 for word in arguments]
        port = [] if "--port" in arguments else ["--port", "0"]
        assert main(["kiosk", *named, *port]) == 2
    error = capsys.readouterr().err
    assert message in error and len(error.splitlines()) == 1, error
    assert "secret" not in error


def test_a_camera_with_a_password_stays_out_of_the_unit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    config = tmp_path / "kiosk.toml"
    config.write_text('camera = "rtsp://me:top-secret@camera/live"')
    assert main(["kiosk", "--bundle", "b", "--config", str(config), "--print-systemd"]) == 0
    said = capsys.readouterr()
    assert str(config) in said.out and "secret" not in said.out and "--camera" not in said.out
    assert main(["kiosk", "--bundle", "b", "--camera", "rtsp://me:top-secret@camera/live",
                 "--print-systemd"]) == 0
    said = capsys.readouterr()
    assert "in the list of processes" in said.err and "secret" not in said.err


def test_without_the_extra_one_line_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "fastapi", None)
    assert main(["kiosk", "--bundle", "b"]) == 2
    error = capsys.readouterr().err
    assert "found no fastapi; pip install 'visavox[kiosk]'" in error and error.count("\n") == 1
