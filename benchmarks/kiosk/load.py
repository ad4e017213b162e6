"""What a kiosk is asked under load: requests at a steady rate, and pages that are open."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks.cost.stages import SCENE
from benchmarks.kiosk.process import Kiosk

IDENTIFY = "POST /api/identify"
# In turn. People are identified by a picture of a room and a sentence.
ROUTES = (IDENTIFY, "GET /api/status", IDENTIFY, "GET /healthz", IDENTIFY, "GET /api/people",
          IDENTIFY, "GET /api/status", "GET /metrics", "GET /")
_WORKERS = 8
_TIMEOUT_S = 20.0
_SILENT_S = 5.0  # of a kiosk that tells its view eight times a second
_AGAIN_S = 5.0  # until a page that got no picture asks again
_CHUNK = 64 * 1024


@dataclass
class Record:
    """What came of a load. times_ms: from when a request was due, by route, so that a kiosk that
    is late is not spared those that queue behind. decisions_ms: of looks that decided.
    picture_mib: of the live views. errors: how often each was met."""

    times_ms: dict[str, list[float]] = field(default_factory=lambda: {r: [] for r in ROUTES})
    decisions_ms: list[float] = field(default_factory=list)
    messages: int = 0
    picture_mib: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)


class Load:
    """Asks `rate` times a second and keeps `pages` open, while it is entered: each listens by a
    WebSocket and shows the live view, which a kiosk gives to some of them alone."""

    def __init__(self, kiosk: Kiosk, rate: float, pages: int) -> None:
        self._kiosk, self.record = kiosk, Record()
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._due = _due(rate)
        self._upload = _multipart({"picture": "picture.jpg", "voice": "clip.flac"})
        self._threads = [
            *(threading.Thread(target=self._ask, daemon=True) for _ in range(_WORKERS)),
            *(threading.Thread(target=self._listen, args=[i == 0], daemon=True)
              for i in range(pages)),
            *(threading.Thread(target=self._look, daemon=True) for _ in range(pages))]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(_TIMEOUT_S)

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(urlsplit(self._kiosk.url).netloc,
                                                timeout=_TIMEOUT_S)
        while True:
            with self._lock:
                route, due_s = next(self._due)
            if self._stop.wait(max(0.0, due_s - time.monotonic())):
                connection.close()
                return
            try:
                self._request(connection, route)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self._wrong(f"{route}: {type(error).__name__} {error}")
            else:
                self.record.times_ms[route].append(1e3 * (time.monotonic() - due_s))

    def _request(self, connection: http.client.HTTPConnection, route: str) -> None:
        method, path = route.split()
        content_type, body = self._upload
        headers = {"Authorization": f"Bearer {self._kiosk.token}"}
        if method == "POST":
            connection.request(method, path, body, headers | {"Content-Type": content_type})
        else:
            connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            self._wrong(f"{route}: {answer.status}")

    def _listen(self, first: bool) -> None:
        """first: of several, the one whose decisions are kept."""
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect

        try:
            with connect(f"ws{self._kiosk.url.removeprefix('http')}/api/events",
                         open_timeout=_TIMEOUT_S) as socket:
                while not self._stop.is_set():
                    message = json.loads(socket.recv(timeout=_SILENT_S))
                    with self._lock:
                        self.record.messages += 1
                        if first and message["type"] == "decision":
                            self.record.decisions_ms.append(sum(message["ms"].values()))
        except (OSError, WebSocketException) as error:  # TimeoutError is an OSError
            self._wrong(f"WS /api/events: {type(error).__name__} {error}")

    def _look(self) -> None:
        """As a page shows the camera: again and again where others look already."""
        while not self._stop.is_set():
            connection = http.client.HTTPConnection(urlsplit(self._kiosk.url).netloc,
                                                    timeout=_TIMEOUT_S)
            try:
                connection.request("GET", "/camera.mjpg", headers={"Sec-Fetch-Site": "same-origin"})
                answer = connection.getresponse()
                if answer.status not in (200, 429):
                    self._wrong(f"GET /camera.mjpg: {answer.status}")
                while answer.status == 200 and not self._stop.is_set():
                    if not (content := answer.read1(_CHUNK)):
                        break
                    with self._lock:
                        self.record.picture_mib += len(content) / 2**20
            except (OSError, http.client.HTTPException) as error:
                self._wrong(f"GET /camera.mjpg: {type(error).__name__} {error}")
            finally:
                connection.close()
            self._stop.wait(_AGAIN_S)

    def _wrong(self, what: str) -> None:
        with self._lock:
            self.record.errors[what] += 1


def _due(rate: float) -> Iterator[tuple[str, float]]:
    """Routes in turn, and when each is to be asked, as time.monotonic()."""
    begin, count = time.monotonic(), 0
    while True:
        yield ROUTES[count % len(ROUTES)], begin + count / rate
        count += 1


def _multipart(files: Mapping[str, str]) -> tuple[str, bytes]:
    """Files of the scene by their field, as a browser sends them: content type and body."""
    boundary = uuid4().hex
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"'
             "\r\n\r\n".encode() + (SCENE / file).read_bytes() + b"\r\n"
             for name, file in files.items()]
    return f"multipart/form-data; boundary={boundary}", b"".join(parts) + (
        f"--{boundary}--\r\n".encode())
