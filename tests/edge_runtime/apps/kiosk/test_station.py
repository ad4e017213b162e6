"""What a kiosk tells of its camera and microphone, and of whoever is forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

import numpy as np
import pytest

from edge_runtime.apps.kiosk.service import Service
from edge_runtime.apps.kiosk.station import Station
from edge_runtime.capture.camera import Camera, Frame
from edge_runtime.decision.identify import Identifier
from edge_runtime.errors import GalleryError
from edge_runtime.gallery.samples import NewSample
from edge_runtime.gallery.store import Gallery
from edge_runtime.signals.detection import Box, HaarDetector, Picture
from tests.edge_runtime.apps.kiosk.stand_ins import EMPTY_ROOM, Scene, client_of, wait_until


def test_a_film_that_begins_anew_is_never_closed(kiosk_identifier: Identifier) -> None:
    opened: list[str] = []

    def film(stop: threading.Event) -> Generator[Frame, None, None]:
        opened.append("film")
        for _ in range(3):
            stop.wait(0.05)
            yield Frame(EMPTY_ROOM, time.monotonic())

    station = Station(kiosk_identifier, HaarDetector(), None, lambda: (Camera("film", film), None))
    seen: set[str] = set()
    with station:
        def played_three_times() -> bool:
            if status := station.status("camera"):
                seen.add(status.state)
                view = station.view()
                assert view.camera in ("starting", "ok", "ended") and view.microphone is None
            return len(opened) == 3

        wait_until(played_three_times, 60)
    assert seen <= {"starting", "ok", "ended"} and "ok" in seen


def test_nobody_else_uses_what_the_loop_uses(kiosk_identifier: Identifier, scene: Scene) -> None:
    free: list[bool] = []

    class Asking(HaarDetector):
        def detect(self, picture: Picture) -> tuple[Box, ...]:
            other = threading.Thread(target=lambda: free.append(
                station.using.acquire(blocking=False)))
            other.start()
            other.join()
            return super().detect(picture)

    station = Station(kiosk_identifier, Asking(), None, scene.sources)
    with station:
        wait_until(lambda: len(free) > 2, 60)
        with station.using:
            looks = len(free)
            time.sleep(0.5)
            assert len(free) == looks
        wait_until(lambda: len(free) > looks, 60)
    assert not any(free)


def test_whoever_is_forgotten_is_told(
    kiosk_identifier: Identifier, gallery: Gallery, scene: Scene
) -> None:
    embedding = np.zeros(kiosk_identifier.manifest.files["face"].embedding_dim, np.float32)
    embedding[0] = 1
    gallery.enroll("Anna", [NewSample("a face", "face", embedding)])
    station = Station(kiosk_identifier, HaarDetector(), gallery, scene.sources)
    told: list[str] = []
    station.on_forget.append(told.append)
    with pytest.raises(GalleryError):
        station.forget("Ben")
    station.forget("Anna")
    assert told == ["Anna"]


def test_a_lost_camera_is_told_in_status_events_and_figures(service: Service, scene: Scene) -> None:
    with client_of(service) as client, client.websocket_connect(
            "ws://localhost/api/events") as events:
        def told() -> str | None:
            while (message := events.receive_json())["type"] != "view":
                pass
            return str(message["camera"])

        wait_until(lambda: told() == "ok", 30)
        scene.picture = None
        wait_until(lambda: told() == "missing", 30)
        status = client.get("/api/status").json()
        assert status["camera"]["state"] == "missing" and "unplugged" in status["camera"]["message"]
        assert b"visavox_camera_ok 0.0" in service.metrics.text()
        assert status["mqtt"] == {"present": False, "state": None, "message": None}
        scene.picture = EMPTY_ROOM
        wait_until(lambda: told() == "ok", 30)
