"""What anybody on this machine may see: status, events, the live view, figures, pages."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from edge_runtime.apps.kiosk import app
from edge_runtime.apps.kiosk.events import MAX_CLIENTS
from edge_runtime.apps.kiosk.live_view import MAX_VIEWERS
from edge_runtime.apps.kiosk.security import HEADERS
from edge_runtime.apps.kiosk.service import Service
from tests.edge_runtime.apps.kiosk.stand_ins import (
    EMPTY_ROOM,
    Scene,
    client_of,
    room,
    served,
    speech,
    wait_until,
)

OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


def test_status_says_how_everything_is(client: TestClient, service: Service) -> None:
    wait_until(lambda: client.get("/api/status").json()["camera"]["state"] == "ok")
    found = client.get("/api/status").json()
    assert found["state"] == "idle" and found["people"] == 4 and not found["enrolls"]
    assert found["bundle"]["name"] == "bundle" and found["bundle"]["recipe"] == "float32"
    assert found["camera"]["message"] == "drawn camera gives pictures"
    assert client.get("/healthz").json() == {"status": "ok"}


def test_who_comes_is_told_by_websocket(client: TestClient, scene: Scene) -> None:
    scene.sound = speech(1)
    with client.websocket_connect("ws://localhost/api/events") as socket:
        view = socket.receive_json()
        assert view["type"] == "view" and set(view) == {
            "type", "state", "face", "face_hint", "voice_hint", "level_db", "camera", "microphone"}
        scene.picture = room(1)
        decision = next(found for _ in range(200)
                        if (found := socket.receive_json())["type"] == "decision")
        assert decision["person"].startswith("synthetic_") and decision["reason"] == "accepted"
        assert decision["scores"][0] == {"person": decision["person"],
                                         "score": decision["confidence"]}
        assert decision["ms"]["detect"] > 0 and decision["time"].endswith("+00:00")
        view = next(found for _ in range(50)
                    if (found := socket.receive_json())["state"] == "known" and found["face"])
        assert 0 < view["face"]["left"] < view["face"]["right"] < 1 and view["level_db"] < 0
        scene.picture, scene.sound = EMPTY_ROOM, None
        assert any(socket.receive_json().get("state") == "idle" for _ in range(200))
    assert 'visavox_decisions_total{reason="accepted"}' in client.get("/metrics").text


def test_views_come_at_most_ten_times_a_second(client: TestClient) -> None:
    with client.websocket_connect("ws://localhost/api/events") as socket:
        socket.receive_json()
        start_s = time.monotonic()
        for _ in range(10):
            socket.receive_json()
        assert time.monotonic() - start_s >= 1.0


def test_a_lost_camera_is_told_and_found_again(client: TestClient, scene: Scene) -> None:
    def state() -> str:
        return str(client.get("/api/status").json()["camera"]["state"])

    wait_until(lambda: state() == "ok")
    scene.picture = None
    wait_until(lambda: state() == "missing")
    assert client.get("/healthz").status_code == 200
    scene.picture = EMPTY_ROOM
    wait_until(lambda: state() == "ok")


def test_server_sent_events_and_the_live_view(service: Service, scene: Scene) -> None:
    scene.picture = room(1)
    with served(service) as port:
        base = f"http://127.0.0.1:{port}"
        with httpx.stream("GET", f"{base}/api/events/stream", timeout=10) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = (line for line in stream.iter_lines() if line)
            kinds = {json.loads(next(lines).removeprefix("data: "))["type"] for _ in range(40)}
        assert kinds == {"view", "decision"}
        wait_until(lambda: service.hub.clients == 0)
        with httpx.stream("GET", f"{base}/camera.mjpg", headers=OWN_PAGE, timeout=10) as stream:
            assert stream.headers["content-type"] == "multipart/x-mixed-replace; boundary=picture"
            content = b""
            for part in stream.iter_raw():
                content += part
                if content.count(b"--picture") > 3:
                    break
        wait_until(lambda: service.live_view.viewers == 0)
    head, picture = content.split(b"--picture\r\n")[1].split(b"\r\n\r\n", 1)
    assert head == b"Content-Type: image/jpeg\r\nContent-Length: %d" % (len(picture) - 2)
    shown = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), np.float64)
    assert np.abs(shown - room(1)).mean() < 8


def test_streams_are_bounded_and_end_with_the_kiosk(service: Service) -> None:
    with served(service) as port:
        base = f"http://127.0.0.1:{port}"
        with httpx.Client(timeout=10) as client:
            service.live_view.viewers += MAX_VIEWERS
            assert client.get(f"{base}/camera.mjpg", headers=OWN_PAGE).status_code == 429
            service.live_view.viewers -= MAX_VIEWERS
            opened = [service.hub.subscribed() for _ in range(MAX_CLIENTS)]
            for one in opened:
                one.__enter__()
            assert client.get(f"{base}/api/events/stream").status_code == 429
            for one in opened:
                one.__exit__(None, None, None)
            open_stream = client.stream("GET", f"{base}/api/events/stream")
            open_stream.__enter__()
            start_s = time.monotonic()
    assert time.monotonic() - start_s < 8


def test_docs_list_every_route_without_scripts(client: TestClient) -> None:
    page = client.get("/docs").text
    for path in client.get("/openapi.json").json()["paths"]:
        assert path.replace("{", "{") in page
    assert "<script" not in page and "//" not in page.replace("<!doctype", "").split("<p>")[0]


def test_figures_name_nobody(client: TestClient, scene: Scene) -> None:
    scene.picture = room(1)
    wait_until(lambda: client.get("/api/status").json()["state"] == "known")
    text = client.get("/metrics").text
    assert "synthetic_" not in text
    assert "visavox_alive 1.0" in text and "process_resident_memory_bytes" in text
    assert "visavox_camera_ok 1.0" in text and "visavox_microphone_ok 1.0" in text


def test_the_pages_are_served_from_their_folders(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, phone = tmp_path / "page", tmp_path / "phone"
    (page / "languages").mkdir(parents=True)
    (page / "index.html").write_text("the page")
    for code in ("en", "de"):
        (page / "languages" / f"{code}.json").write_text("{}")
    phone.mkdir()
    (phone / "index.html").write_text("the phone")
    for module in ("app", "service"):
        monkeypatch.setattr(f"edge_runtime.apps.kiosk.{module}.PAGE", page)
    service.phone = phone
    with client_of(service) as client:
        assert client.get("/").text == "the page"
        own = client.get("/page/languages/en.json")
        assert own.json() == {}
        shared = client.get("/page/shared/parameters.js")
        assert "export default" in shared.text and "javascript" in shared.headers["Content-Type"]
        for name in ("Cache-Control", *HEADERS):
            assert shared.headers[name] == own.headers[name]
        assert client.get("/phone/").text == "the phone"
        assert client.get("/api/status").json()["languages"] == ["de", "en"]
        for path in ("/page/shared/../../../export.py", "/page/shared/%2e%2e/export.py",
                     "/page/../../kiosk/app.py", "/page/%2e%2e/secret", "/page/..%2fsecret"):
            assert client.get(path).status_code == 404


def test_without_a_page_the_routes_are_named(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "PAGE", tmp_path)
    with client_of(service) as client:
        answer = client.get("/")
    assert answer.status_code == 404 and "/docs" in answer.text


def test_a_loop_that_hangs_is_said(client: TestClient, service: Service) -> None:
    wait_until(lambda: service.station.camera and service.station.camera.status.state == "ok")
    service.station._stop.set()
    service.station._thread.join(5)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"status": "hangs"})
