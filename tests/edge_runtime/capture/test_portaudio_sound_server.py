"""A microphone made of PulseAudio, through PortAudio's ALSA devices: the whole way of the sound."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from edge_runtime.apps.cli import main
from edge_runtime.capture.camera import Camera
from edge_runtime.capture.devices import camera_from, microphone_from
from edge_runtime.capture.portaudio import takes_rate
from edge_runtime.capture.source import DeviceError
from tests.edge_runtime.capture.stand_ins import (
    NetworkCamera,
    SoundServer,
    loudest_hertz,
    plain,
    seconds_until,
    tone,
)

pytestmark = pytest.mark.audio


@pytest.mark.parametrize(("name", "rate"), [("pulse", 48_000), ("arecord:pulse", 8_000)])
def test_what_is_played_is_heard(sound_server: SoundServer, name: str, rate: int) -> None:
    sound_server.play(tone(440, 8.0, rate), rate)
    with microphone_from(name) as microphone:
        seconds_until(microphone, "ok", 5.0)
        time.sleep(1.5)
        clip = microphone.last(1.0, 3.0)
        assert clip is not None and clip.sound.size == 16_000
        assert loudest_hertz(clip.sound) == pytest.approx(440, abs=2)
        assert np.abs(clip.sound).max() == pytest.approx(0.3, abs=0.05)
        assert time.monotonic() - clip.end_s < 0.5


@pytest.mark.slow
def test_silent_lost_and_back_while_the_camera_goes_on(sound_server: SoundServer) -> None:
    network_camera = NetworkCamera(plain(200))
    network_camera.start()
    sound_server.play(tone(440, 60.0, 16_000), 16_000)
    with camera_from(network_camera.address) as camera, microphone_from("pulse") as microphone:
        seconds_until(microphone, "ok", 5.0)
        microphone.last(1.0, 4.0)
        sound_server.quiet()
        assert seconds_until(microphone, "silent", 4.0) < 3.0  # up to 1 s of tone is on its way
        assert "raise its level" in microphone.status.message
        sound_server.stop()
        assert seconds_until(microphone, ("missing", "stalled"), 3.0) < 2.0
        assert sees(camera)
        seconds_until(microphone, "missing", 3.0)
        time.sleep(1.5)
        assert microphone.last(1.0, 0.1) is None
        assert sees(camera)
        sound_server.start()
        assert seconds_until(microphone, ("ok", "silent"), 8.0) < 5.0
        assert sees(camera)
    network_camera.stop()


def sees(camera: Camera) -> bool:
    frame = camera.latest(0.5)
    return frame is not None and time.monotonic() - frame.at_s < 0.5


def test_devices(sound_server: SoundServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    pulse = next(device for device in found["microphones"] if device["name"] == "pulse")
    assert pulse["by"] == "PortAudio" and "kHz" in pulse["detail"]
    with microphone_from(pulse["use"]) as microphone:
        assert seconds_until(microphone, "ok", 5.0) < 5.0
        assert main(["devices"]) == 0  # does not disturb it
        assert "| pulse" in capsys.readouterr().out.replace("  ", "")
        assert microphone.last(0.5, 3.0) is not None
    assert takes_rate("pulse", 16_000)[0]
    with pytest.raises(DeviceError, match="no device of that number or name records"):
        takes_rate("no such microphone", 16_000)
    with microphone_from("ul") as microphone:  # default, pulse
        assert seconds_until(microphone, "missing", 3.0) < 2.0
        assert "several devices have that in their name" in microphone.status.message
