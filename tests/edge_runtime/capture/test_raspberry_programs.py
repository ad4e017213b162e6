"""rpicam-vid and arecord, on programs of their names that write real JPEG and PCM bytes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.capture.devices import camera_from, first_camera, list_devices, microphone_from
from tests.edge_runtime.capture.stand_ins import (
    jpeg,
    loudest_hertz,
    plain,
    seconds_until,
    tone,
    write_program,
)

Program = Callable[[str, str], None]

# Writes a picture each 20 ms, as long as the file `plugged` is there.
RPICAM = """
assert os.path.exists("plugged"), "ERROR: *** no cameras available ***"
if "--list-cameras" in sys.argv:
    print("Available cameras\\n-----------------")
    print("0 : imx708 [4608x2592 10-bit RGGB] (/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a)")
    print("    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]")
    sys.exit()
assert sys.argv[sys.argv.index("--codec") + 1] == "mjpeg" and "--nopreview" in sys.argv
picture = open("picture.jpg", "rb").read()
open("pid", "w").write(str(os.getpid()))
while os.path.exists("plugged"):
    os.write(1, picture)
    time.sleep(0.02)
sys.exit("ERROR: *** camera has been unplugged ***")
"""

# As arecord -t wav into a pipe: a header without a length, then sound at its own pace.
ARECORD = """
if "-l" in sys.argv:
    print("**** List of CAPTURE Hardware Devices ****")
    print("card 1: Device [USB PnP Sound Device], device 0: USB Audio [USB Audio]")
    print("  Subdevices: 1/1\\n  Subdevice #0: subdevice #0")
    sys.exit()
if not os.path.exists("plugged"):
    sys.exit("arecord: main:831: audio open error: Device or resource busy")
rate, channels = map(int, open("format").read().split())
sound = open("sound.raw", "rb").read()
os.write(1, b"RIFF" + struct.pack("<I", 2**31) + b"WAVEfmt " + struct.pack(
    "<IHHIIHH", 16, 1, channels, rate, 2 * channels * rate, 2 * channels, 16)
    + b"data" + struct.pack("<I", 2**31))
block = 2 * channels * rate // 20 + 1  # odd, so that samples are cut in two
for place in range(0, len(sound), block):
    os.write(1, sound[place:place + block])
    time.sleep(0.05)
time.sleep(60)
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts a program on the path, and the process where its files are."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return lambda name, python: write_program(tmp_path / name, python)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """Puts a module in the place of the one of its name, if any."""
    made: list[str] = []

    def write(name: str, python: str) -> None:
        (tmp_path / f"{name}.py").write_text(python)
        made.append(name)
        monkeypatch.delitem(sys.modules, name, raising=False)

    monkeypatch.syspath_prepend(tmp_path)
    yield write
    for name in made:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["rpicam-vid", "libcamera-vid"])
def test_a_raspberry_pi_camera(program: Program, tmp_path: Path, name: str) -> None:
    program(name, RPICAM)
    (tmp_path / "plugged").touch()
    (tmp_path / "picture.jpg").write_bytes(jpeg(plain(200)))
    with camera_from("rpicam") as camera:
        frame = camera.latest(3.0)
        assert frame is not None and frame.picture.shape == (120, 160, 3)
        assert np.abs(frame.picture.mean(axis=(0, 1)) - (200, 100, 50)).max() < 4
        assert camera.status.state == "ok"
        pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):  # the program ends with the source
        os.kill(pid, 0)


def test_a_raspberry_pi_camera_unplugged_and_back(program: Program, tmp_path: Path) -> None:
    program("rpicam-vid", RPICAM)
    (tmp_path / "picture.jpg").write_bytes(jpeg(plain(200)))
    with camera_from("rpicam:0") as camera:
        assert seconds_until(camera, "missing", 3.0) < 2.0
        assert "no cameras available" in camera.status.message
        (tmp_path / "plugged").touch()
        assert seconds_until(camera, "ok", 6.0) < 5.0
        (tmp_path / "plugged").unlink()
        assert seconds_until(camera, "missing", 3.0) < 2.0
        assert camera.status.message.startswith(
            "camera rpicam:0: ERROR: *** camera has been unplugged; plug it in")
        (tmp_path / "plugged").touch()
        assert seconds_until(camera, "ok", 6.0) < 5.0


def test_a_busy_raspberry_pi_camera_and_back(program: Program, tmp_path: Path) -> None:
    program("rpicam-vid", "sys.exit('ERROR: *** failed to acquire camera /base/soc/i2c ***')")
    (tmp_path / "picture.jpg").write_bytes(jpeg(plain(200)))
    with camera_from("rpicam") as camera:
        assert seconds_until(camera, "busy", 3.0) < 2.0
        assert camera.status.message.endswith("; end the other program that uses it")
        (tmp_path / "plugged").touch()
        program("rpicam-vid", RPICAM)
        assert seconds_until(camera, "ok", 6.0) < 5.0


def test_damaged_pictures_are_left_out(program: Program, tmp_path: Path) -> None:
    program("rpicam-vid", RPICAM)
    (tmp_path / "plugged").touch()
    good = jpeg(plain(200))
    (tmp_path / "picture.jpg").write_bytes(good[:200] + b"\xff\xd9" + b"noise" + good)
    with camera_from("rpicam") as camera:
        frame = camera.latest(3.0)
        assert frame is not None and abs(frame.picture[..., 0].mean() - 200) < 4


def test_a_program_that_writes_nothing(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_runtime.capture.raspberry._QUIET_S", 1.9)
    program("rpicam-vid", "open('starts', 'a').write('x')\ntime.sleep(60)\n")
    with camera_from("rpicam") as camera:
        assert seconds_until(camera, "stalled", 3.0) < 2.0
        time.sleep(1.5)
        assert Path("starts").read_text() == "xx"  # it has been ended and started again
        assert camera.status.state == "stalled"


def test_no_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with camera_from("rpicam") as camera, microphone_from("arecord") as microphone:
        assert seconds_until(camera, "failed", 3.0) < 2.0
        assert "apt install rpicam-apps" in camera.status.message
        assert seconds_until(microphone, "failed", 3.0) < 2.0
        assert "apt install alsa-utils" in microphone.status.message


def test_auto_takes_the_raspberry_pi_camera(program: Program, tmp_path: Path) -> None:
    program("rpicam-vid", RPICAM)
    (tmp_path / "picture.jpg").write_bytes(jpeg(plain(200)))
    with camera_from("auto") as camera:
        assert seconds_until(camera, "missing", 3.0) < 2.0
        (tmp_path / "plugged").touch()
        assert first_camera() == "rpicam:0"
        assert seconds_until(camera, "ok", 6.0) < 5.0
    assert [(device.use, device.name) for device in list_devices().cameras][:1] == [
        ("rpicam:0", "imx708 [4608x2592 10-bit RGGB] (/base/axi/pcie@120000/rp1/i2c@88000/"
                     "imx708@1a)")]


PICAMERA2 = """
import time
import numpy as np


class Picamera2:
    @staticmethod
    def global_camera_info():
        return [{"Model": "imx708", "Num": 0}]

    def __init__(self, number):
        if number:
            raise IndexError("list index out of range")

    def create_video_configuration(self, main):
        assert main["format"] == "BGR888"
        return main["size"]

    def configure(self, size):
        self.size = size

    def start(self):
        pass

    def capture_array(self, stream):
        time.sleep(0.02)
        return np.full((self.size[1], self.size[0], 3), (200, 100, 50), np.uint8)

    def stop(self):
        pass

    def close(self):
        open("closed", "w").close()
"""


def test_picamera2(module: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module with the calls that are made, in the place of one that wants a Pi."""
    module("picamera2", PICAMERA2)
    monkeypatch.setenv("PATH", str(tmp_path))  # without rpicam-vid
    monkeypatch.chdir(tmp_path)
    with camera_from("picamera2") as camera:
        frame = camera.latest(3.0)
        assert frame is not None and frame.picture.shape == (480, 640, 3)
        assert tuple(frame.picture[0, 0]) == (200, 100, 50)
    assert (tmp_path / "closed").exists()
    with camera_from("picamera2:1") as camera:
        assert seconds_until(camera, "missing", 3.0) < 2.0
    assert [(device.use, device.name) for device in list_devices().cameras][:1] == [
        ("picamera2:0", "imx708")]


def test_picamera2_that_does_not_import(module: Program) -> None:
    module("picamera2", "raise ValueError('numpy.dtype size changed')\n")
    with camera_from("picamera2") as camera:
        assert seconds_until(camera, "failed", 3.0) < 2.0
        assert "use --camera rpicam" in camera.status.message


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2)])
def test_arecord(program: Program, tmp_path: Path, rate: int, channels: int) -> None:
    program("arecord", ARECORD)
    (tmp_path / "plugged").touch()
    (tmp_path / "format").write_text(f"{rate} {channels}")
    sound = np.stack([tone(440, 2.0, rate)] * channels, axis=1)
    (tmp_path / "sound.raw").write_bytes((sound * 32_767).astype("<i2").tobytes())
    with microphone_from("arecord:plughw:1,0") as microphone:
        clip = microphone.last(1.0, 5.0)
        assert clip is not None and clip.sound.size == 16_000
        assert microphone.status.state == "ok"
        assert loudest_hertz(clip.sound) == pytest.approx(440, abs=1)
        assert np.abs(clip.sound[2000:-2000]).max() == pytest.approx(0.3, abs=0.01)


def test_a_busy_microphone_and_back(program: Program, tmp_path: Path) -> None:
    program("arecord", ARECORD)
    (tmp_path / "format").write_text("16000 1")
    (tmp_path / "sound.raw").write_bytes(bytes(16_000 * 2 * 2))
    with microphone_from("arecord") as microphone:
        assert seconds_until(microphone, "busy", 3.0) < 2.0
        assert microphone.status.message == (
            "microphone arecord: arecord: main:831: audio open error: Device or resource busy; end "
            "the other program that uses it")
        (tmp_path / "plugged").touch()
        assert seconds_until(microphone, "ok", 6.0) < 5.0
        assert seconds_until(microphone, "silent", 3.0) < 2.5  # it gives zeros only


def test_what_is_no_sound_from_arecord(program: Program) -> None:
    program("arecord", "os.write(1, b'x' * 100)\ntime.sleep(9)\n")
    with microphone_from("arecord") as microphone:
        assert seconds_until(microphone, "failed", 3.0) < 2.0
        assert "expected 16-bit WAV" in microphone.status.message


def test_without_portaudio_arecord_is_taken(
    program: Program, module: Program, tmp_path: Path
) -> None:
    program("arecord", ARECORD)
    module("sounddevice", "raise OSError('PortAudio library not found')\n")
    (tmp_path / "plugged").touch()
    (tmp_path / "format").write_text("48000 1")
    (tmp_path / "sound.raw").write_bytes((tone(440, 2, 48_000) * 32_767).astype("<i2").tobytes())
    with microphone_from("auto") as microphone:
        assert seconds_until(microphone, "ok", 3.0) < 2.0
    found = list_devices()
    assert [device.use for device in found.microphones] == ["arecord:plughw:1,0"]
    assert found.microphones[0].name == "USB PnP Sound Device"
    assert any("PortAudio library not found; apt install libportaudio2" in problem
               for problem in found.not_looked_for)
