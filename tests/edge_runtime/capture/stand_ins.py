"""What stands in for devices: a network camera, programs that write pictures or sound, a server of
sound. All of them give real bytes to the real readers."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge_runtime.capture.camera import Camera
from edge_runtime.capture.microphone import Microphone
from edge_runtime.capture.source import State

Picture = npt.NDArray[np.uint8]


def jpeg(picture: Picture) -> bytes:
    """RGB, uint8 [height, width, 3], as JPEG."""
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert done
    return bytes(data)


def plain(level: int, height: int = 120, width: int = 160) -> Picture:
    """One colour: R, G and B far apart, so that a swap shows."""
    return np.full((height, width, 3), (level, level // 2, level // 4), np.uint8)


def seconds_until(
    source: Camera | Microphone, wanted: State | tuple[State, ...], within_s: float
) -> float:
    """How long it took until the source said so."""
    wanted = (wanted,) if isinstance(wanted, str) else wanted
    start_s = time.monotonic()
    while source.status.state not in wanted:
        waited = time.monotonic() - start_s
        assert waited < within_s, f"still {source.status} after {waited:.1f} s, not {wanted}"
        time.sleep(0.02)
    return time.monotonic() - start_s


class NetworkCamera:
    """An MJPEG stream over HTTP on loopback, whose picture can be changed while it runs."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.mute = False  # connections stay, nothing comes
        self._server: http.server.ThreadingHTTPServer | None = None
        self.port = 0
        self._stopped = threading.Event()

    @property
    def address(self) -> str:
        return f"http://user:secret@127.0.0.1:{self.port}/stream?token=hidden"

    def start(self) -> None:
        camera, stopped = self, threading.Event()
        self._stopped = stopped

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                encoded, data = None, b""
                while not stopped.wait(0.05):
                    if not camera.mute:
                        if camera.picture is not encoded:
                            encoded, data = camera.picture, jpeg(camera.picture)
                        self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: "
                                         + str(len(data)).encode() + b"\r\n\r\n" + data + b"\r\n")

            def log_message(self, *_: Any) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:  # readers may leave
                pass

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def write_program(path: Path, python: str) -> None:
    """A program of the name `path`, in Python."""
    path.write_text(f"#!{sys.executable}\nimport os, struct, sys, time\n{python}")
    path.chmod(0o755)


class SoundServer:
    """A PulseAudio of its own, with a loudspeaker `speaker` whose sound its monitor records."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._players: list[subprocess.Popen[bytes]] = []
        self.environment = {
            "XDG_RUNTIME_DIR": str(folder), "PULSE_RUNTIME_PATH": str(folder / "pulse"),
            "HOME": str(folder), "PULSE_SERVER": f"unix:{folder}/native"}

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
             "--disable-shm=yes", f"--load=module-native-protocol-unix auth-anonymous=1 "
             f"socket={self._folder}/native", "--load=module-null-sink sink_name=speaker"],
            env=os.environ | self.environment, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.control("info").returncode == 0, 10.0)

    def control(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["pactl", *arguments], env=os.environ | self.environment,
                              capture_output=True, check=False)

    def play(self, sound: npt.NDArray[np.float32], rate: int) -> None:
        """float32 [samples] to the loudspeaker, in the background."""
        file = self._folder / f"{len(self._players)}.raw"
        file.write_bytes((sound * 32_767).astype("<i2").tobytes())
        self._players.append(subprocess.Popen(
            ["pacat", f"--rate={rate}", "--channels=1", "--format=s16le", str(file)],
            env=os.environ | self.environment, stderr=subprocess.DEVNULL))

    def quiet(self) -> None:
        for player in self._players:
            player.kill()
            player.wait()

    def stop(self) -> None:
        self.quiet()
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


def wait_until(there: Callable[[], bool], within_s: float) -> None:
    end_s = time.monotonic() + within_s
    while not there():
        assert time.monotonic() < end_s, f"not within {within_s} s"
        time.sleep(0.001)


def tone(hertz: float, seconds: float, rate: int) -> npt.NDArray[np.float32]:
    """float32 [samples]"""
    return np.float32(0.3) * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate,
                                    dtype=np.float32)


def loudest_hertz(sound: npt.NDArray[np.float32]) -> float:
    """Of a clip at 16 kHz."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    return float(np.argmax(spectrum)) * 16_000 / sound.size
