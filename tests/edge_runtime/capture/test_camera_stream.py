"""A camera in the network: what it gives, and that its loss is said and mended."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest

from edge_runtime.capture.devices import camera_from
from tests.edge_runtime.capture.stand_ins import NetworkCamera, plain, seconds_until


@pytest.fixture
def network_camera() -> Iterator[NetworkCamera]:
    camera = NetworkCamera(plain(200))
    camera.start()
    yield camera
    camera.stop()


def test_the_newest_picture_in_the_right_colours(network_camera: NetworkCamera) -> None:
    with camera_from(network_camera.address) as camera:
        first = camera.latest(5.0)
        assert first is not None
        assert first.picture.shape == (120, 160, 3) and first.picture.dtype == np.uint8
        assert np.abs(first.picture.mean(axis=(0, 1)) - (200, 100, 50)).max() < 4
        assert camera.status.state == "ok"
        network_camera.picture = plain(100)
        time.sleep(0.5)
        asked_s = time.monotonic()
        second = camera.latest(1.0, newer_than=first)
        assert second is not None and first.at_s < second.at_s <= time.monotonic()
        assert second.at_s > asked_s - 0.3
        assert abs(second.picture[..., 0].mean() - 100) < 4
    assert camera.status.state == "closed"


def test_a_lost_stream_is_said_within_2_s_and_back_within_5(network_camera: NetworkCamera) -> None:
    with camera_from(network_camera.address) as camera:
        seconds_until(camera, "ok", 5.0)
        network_camera.stop()
        assert seconds_until(camera, ("missing", "stalled"), 3.0) < 2.0
        seconds_until(camera, "missing", 6.0)
        time.sleep(2.5)  # retries are at their rarest now
        assert camera.latest(0.0) is None
        network_camera.start()
        assert seconds_until(camera, "ok", 8.0) < 5.0
        assert camera.latest(0.5) is not None


def test_no_password_is_shown(network_camera: NetworkCamera) -> None:
    network_camera.stop()
    with camera_from(network_camera.address) as camera:
        assert seconds_until(camera, "missing", 3.0) < 2.0
        for text in (camera.name, camera.status.message):
            assert f"http://127.0.0.1:{network_camera.port}" in text and "stream" not in text
            assert "secret" not in text and "user" not in text and "hidden" not in text


def test_black_pictures_are_said_and_seen_again(network_camera: NetworkCamera) -> None:
    with camera_from(network_camera.address) as camera:
        seconds_until(camera, "ok", 5.0)
        network_camera.picture = plain(8)
        assert seconds_until(camera, "black", 3.0) < 2.0
        assert "uncover the lens" in camera.status.message
        network_camera.picture = plain(150)
        assert seconds_until(camera, "ok", 2.0) < 1.0


def test_a_stream_that_stops_without_a_word(network_camera: NetworkCamera) -> None:
    with camera_from(network_camera.address) as camera:
        seconds_until(camera, "ok", 5.0)
        network_camera.mute = True
        assert seconds_until(camera, "stalled", 3.0) < 2.0
        seconds_until(camera, "missing", 6.0)  # it has been given up, and is opened anew
        network_camera.mute = False
        assert seconds_until(camera, "ok", 8.0) < 5.0


def test_a_host_that_takes_calls_and_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        with camera_from(f"http://127.0.0.1:{deaf.getsockname()[1]}/") as camera:
            asked_s = time.monotonic()
            assert camera.latest(0.2) is None
            assert time.monotonic() - asked_s < 0.4
            assert seconds_until(camera, "stalled", 3.0) < 2.0
            closing_s = time.monotonic()
        assert time.monotonic() - closing_s < 2.5
