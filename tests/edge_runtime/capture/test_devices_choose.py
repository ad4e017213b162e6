"""What stands after --camera and --microphone: what it becomes, and one line for nonsense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.capture.devices import camera_from, microphone_from
from edge_runtime.errors import UsageError
from tests.edge_runtime.capture.stand_ins import seconds_until


@pytest.mark.parametrize("text", [
    "auto", "0", "12", "/dev/video0", "/dev/v4l/by-id/usb-x", "rpicam", "rpicam:1", "picamera2",
    "rtsp://camera", "http://127.0.0.1:8080"])
def test_cameras(text: str) -> None:
    assert text in camera_from(text).name


@pytest.mark.parametrize(("address", "name"), [
    ("rtsp://admin:top-secret@camera:554/live", "rtsp://camera:554"),
    ("RTSP://admin:top@secret@camera/live", "rtsp://camera"),  # FFmpeg takes the last @ too
    ("rtsp://admin:top%40secret%231@camera/live", "rtsp://camera"),
    ("rtsp://camera:554/user=admin_password=top-secret_channel=1.sdp?real_stream",
     "rtsp://camera:554"),
    ("http://camera/cgi?user=admin&pwd=top-secret", "http://camera"),
    ("https://top-secret@[fe80::1]:8443/#secret", "https://[fe80::1]:8443")])
def test_of_an_address_scheme_host_and_port_are_shown(address: str, name: str) -> None:
    assert camera_from(address).name == name


@pytest.mark.parametrize("address", [
    "rtsp://admin:top@secret#1@camera/live", "rtsp://admin:top/secret@camera/live",
    "rtsp://admin:top?secret@camera/live", "rtsp://admin:1/secret@camera/live",
    "rtsp://admin:top-secret@camera:port/live", "rtsp://admin:top-secret/live",
    "rtsp://admin:top-secret@:554/live", "rtsp://admin:top-secret@[::1/live",
    "rtsp://camera:0/secret", "ftp://admin:top-secret@camera", "rtsp:/admin:top-secret@camera",
    "admin:top-secret@camera", "rtsp://admin:top-secret@camera/\x1b", "http:///top-secret"])
def test_no_refusal_shows_a_password(address: str) -> None:
    for make in (camera_from, microphone_from) if "/" in address else (camera_from,):
        with pytest.raises(UsageError) as caught:
            make(address)
        assert "secret" not in str(caught.value) and str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["auto", "3", "USB PnP", "arecord", "arecord:plughw:1,0", "pulse"])
def test_microphones(text: str) -> None:
    assert text in microphone_from(text).name


@pytest.mark.parametrize("text", [
    "", " ", "-1", "nowhere.mp4", "rpicam:x", "ftp://camera", "rtsp:/camera", "99999", "a\0b",
    "a\nb", "x" * 5000, "²", "http://[::1", "rtsp://", "http://camera/\x1b[2J", "/dev/vi\ndeo0"])
def test_what_is_no_camera_is_one_line(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        camera_from(text)
    message = str(caught.value)
    assert message.startswith("--camera expects auto, a number") and message.isprintable()
    assert len(message) < 400


@pytest.mark.parametrize("text", ["", " ", "folder/nowhere.wav", "rtsp://camera", "a\0b", "a\nb",
                                  "x" * 5000])
def test_what_is_no_microphone_is_one_line(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        microphone_from(text)
    message = str(caught.value)
    assert message.startswith("--microphone expects auto, a number") and message.isprintable()
    assert len(message) < 400


@given(st.text(max_size=30))
def test_any_text_is_a_source_or_one_line(text: str) -> None:
    for make in (camera_from, microphone_from):
        try:
            make(text)
        except UsageError as error:
            assert str(error).isprintable()


def test_a_camera_that_is_not_there() -> None:
    with camera_from("/dev/video77") as camera:
        assert seconds_until(camera, "missing", 3.0) < 2.0
        assert camera.status.message == (
            "camera /dev/video77: /dev/video77: No such file or directory; plug it in; 'visavox "
            "devices' lists what there is")


def test_a_device_that_is_no_camera() -> None:
    with camera_from("/dev/null") as camera:
        assert seconds_until(camera, "busy", 3.0) < 2.0
        assert "or name another, if it is no camera" in camera.status.message


def test_no_camera_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_runtime.capture.devices.first_camera", lambda: None)
    with camera_from("auto") as camera:
        assert seconds_until(camera, "missing", 3.0) < 2.0
        assert "no camera found; plug one in" in camera.status.message


def test_a_microphone_that_is_not_there() -> None:
    with microphone_from("nonesuch") as microphone:
        assert seconds_until(microphone, ("missing", "failed"), 3.0) < 2.0
        message = microphone.status.message
        assert "nonesuch" in message or "apt install" in message  # without PortAudio
