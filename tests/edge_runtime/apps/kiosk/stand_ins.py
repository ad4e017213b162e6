"""What stands before the kiosk: drawn people, synthesised speech; and what tests ask it with."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from starlette.testclient import TestClient

from edge_runtime.apps.kiosk.app import Address, make_app, make_server
from edge_runtime.apps.kiosk.service import Service
from edge_runtime.capture.camera import Camera, Frame
from edge_runtime.capture.microphone import Clip, Microphone
from edge_runtime.capture.source import DeviceError
from edge_runtime.signals.detection import Picture
from edge_runtime.signals.voice import SAMPLE_RATE, Sound
from train.synthetic import room_picture
from train.synthetic.faces import Identity
from train.synthetic.voices import Speaker, speak

EMPTY_ROOM = np.full((480, 640, 3), 120, np.uint8)


def room(person: int, take: int = 0) -> Picture:
    who = Identity.draw(np.random.default_rng(person))
    return room_picture(who, np.random.default_rng([person, take]))[0]


def speech(person: int, seconds: float = 6.0) -> Sound:
    rng = np.random.default_rng(person)
    who = Speaker.draw(rng)
    return np.concatenate([speak(who, rng) for _ in range(4)])[: round(seconds * SAMPLE_RATE)]


@dataclass
class Scene:
    """What is before the camera and the microphone; a test changes it while the kiosk runs."""

    picture: Picture | None = field(default_factory=lambda: EMPTY_ROOM)
    sound: Sound | None = None  # played over and over

    def sources(self) -> tuple[Camera, Microphone]:
        return Camera("drawn camera", self._frames), Microphone("spoken microphone", self._clips)

    def _frames(self, stop: threading.Event) -> Generator[Frame, None, None]:
        rng = np.random.default_rng(0)
        while not stop.wait(0.05):
            if self.picture is None:
                raise DeviceError("missing", "drawn camera: unplugged")
            noise = rng.integers(0, 3, self.picture.shape, np.uint8)  # no two pictures are the same
            yield Frame(np.clip(self.picture.astype(np.int16) + noise, 0, 255).astype(np.uint8),
                        time.monotonic())

    def _clips(self, stop: threading.Event) -> Generator[Clip, None, None]:
        at, step = 0, SAMPLE_RATE // 20
        while not stop.wait(0.05):
            sound = np.full(step, 1e-3, np.float32) if self.sound is None else (
                np.take(self.sound, np.arange(at, at + step), mode="wrap"))
            at += step
            yield Clip(sound, time.monotonic())


def client_of(service: Service, address: str = "127.0.0.1") -> TestClient:
    return TestClient(make_app(service), "http://localhost", client=(address, 50_000))


def wait_until(there: Callable[[], Any], within_s: float = 10.0) -> Any:
    """What `there` returns once it is true."""
    until_s = time.monotonic() + within_s
    while not (found := there()):
        assert time.monotonic() < until_s, f"not within {within_s} s"
        time.sleep(0.02)
    return found


@contextmanager
def served(service: Service, address: Address | None = None) -> Iterator[int]:
    """A real server in a thread, on a free port."""
    address = address or Address(port=0)
    with address.listening() as listening:
        server = make_server(service, address)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        wait_until(lambda: server.started or not thread.is_alive())
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(10)
            assert not thread.is_alive()


def ask(port: int, path: str = "/healthz", body: bytes | None = None) -> int:
    """The status of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST" if body else "GET", path, body)
        return connection.getresponse().status
    finally:
        connection.close()


def exchange(port: int, request: bytes, timeout_s: float = 10.0) -> bytes:
    """Sends bytes as they are; what comes until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout_s) as connection:
        with suppress(ConnectionError):
            connection.sendall(request)
        received = b""
        with suppress(ConnectionError):
            while part := connection.recv(65_536):
                received += part
        return received
