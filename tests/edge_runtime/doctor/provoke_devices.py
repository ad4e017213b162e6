"""Problems of cameras and microphones."""

from __future__ import annotations

import cv2
import numpy as np

from edge_runtime.doctor.machine import Machine
from tests.edge_runtime.doctor.scene import Scene, provokes

# As arecord does: a WAV header without a length, then sound at its own pace.
SILENCE = """
os.write(1, b"RIFF" + struct.pack("<I", 2**31) + b"WAVEfmt " + struct.pack(
    "<IHHIIHH", 16, 1, 1, 48000, 96000, 2, 16) + b"data" + struct.pack("<I", 2**31))
while True:
    os.write(1, bytes(9600))
    time.sleep(0.1)
"""

# The calls of sounddevice that are made, for a USB microphone that knows 44.1 kHz alone.
USB_MICROPHONE = """
import threading, types
import numpy as np

class PortAudioError(Exception):
    pass

default = types.SimpleNamespace(device=[0, 0])

def _terminate(): pass
def _initialize(): pass

def query_devices(device=None, kind=None):
    found = {"name": "USB PnP", "index": 0, "max_input_channels": 1, "default_samplerate": 44100.0}
    return found if kind else [found]

def check_input_settings(device, channels, dtype, samplerate):
    if samplerate != 44100:
        raise PortAudioError("Invalid sample rate", -9997)

class InputStream:
    def __init__(self, rate, size, device, channels, dtype, callback):
        check_input_settings(device, channels, dtype, rate)
        self.samplerate, self._closed = rate, threading.Event()
        self._noise = np.random.default_rng(0).normal(0, 0.1, (size, 1)).astype(np.float32)
        self._callback = callback

    def start(self):
        threading.Thread(target=self._play, daemon=True).start()

    def _play(self):
        while not self._closed.wait(0.05):
            self._callback(self._noise, len(self._noise), None, None)

    def close(self, ignore_errors):
        self._closed.set()
"""


@provokes("camera-denied", "may not open", "sudo ")
def a_camera_of_another_group(scene: Scene) -> Machine:
    scene.module("cv2")
    scene.camera_node(0, "HD Pro Webcam C920").chmod(0)
    scene.full_rights = False
    return scene.machine()


@provokes("camera-csi", "camera 0 is unicam-image", "--camera rpicam")
def a_pi_camera_by_number(scene: Scene) -> Machine:
    scene.camera_node(0, "unicam-image")
    return scene.machine(camera="0")


@provokes("no-camera", "no camera found", "plug one in")
def no_camera(scene: Scene) -> Machine:
    scene.module("cv2")
    return scene.machine()


@provokes("camera-missing", "no cameras available", "plug it in")
def an_unplugged_camera(scene: Scene) -> Machine:
    scene.program("rpicam-vid", "sys.exit('ERROR: *** no cameras available ***')")
    return scene.machine(camera="rpicam")


@provokes("camera-busy", "failed to acquire camera", "sudo fuser -v /dev/video*")
def a_busy_camera(scene: Scene) -> Machine:
    scene.program("rpicam-vid", "sys.exit('ERROR: *** failed to acquire camera /base/soc ***')")
    return scene.machine(camera="rpicam")


@provokes("camera-stalled", "has given nothing for", "cable")
def a_camera_that_hangs(scene: Scene) -> Machine:
    scene.program("rpicam-vid", "time.sleep(60)")
    return scene.machine(camera="rpicam")


@provokes("camera-failed", "film.mp4: expected a video", "convert it to MP4")
def a_damaged_film(scene: Scene) -> Machine:
    (scene.folder / "film.mp4").write_bytes(b"no film")
    return scene.machine(camera="film.mp4")


@provokes("camera-black", "the pictures are black", "uncover the lens")
def a_covered_lens(scene: Scene) -> Machine:
    (scene.folder / "pictures").mkdir()
    for number in range(8):
        cv2.imwrite(f"pictures/{number}.png", np.full((48, 64, 3), 9, np.uint8))
    return scene.machine(camera="pictures")


@provokes("rpicam-missing", "rpicam-vid is not installed", "sudo apt install rpicam-apps")
def a_pi_without_rpicam(scene: Scene) -> Machine:
    scene.write("proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    return scene.machine()


@provokes("picamera2-broken", "numpy.dtype size changed", "--camera rpicam")
def picamera2_with_another_numpy(scene: Scene) -> Machine:
    scene.camera_node(0, "rp1-cfe")
    scene.module("picamera2", "raise ValueError('numpy.dtype size changed')")
    return scene.machine()


@provokes("no-microphone", "No such file or directory", "plug one in")
def no_microphone(scene: Scene) -> Machine:
    scene.own_module("sounddevice", "raise OSError('PortAudio library not found')")
    scene.program("arecord", "sys.exit('arecord: audio open error: No such file or directory')")
    return scene.machine()


@provokes("microphone-missing", "No such file or directory", "plug it in")
def an_unplugged_microphone(scene: Scene) -> Machine:
    scene.program("arecord", "sys.exit('arecord: audio open error: No such file or directory')")
    return scene.machine(microphone="arecord:plughw:1,0")


@provokes("microphone-busy", "Device or resource busy", "sudo fuser -v /dev/snd/*")
def a_busy_microphone(scene: Scene) -> Machine:
    scene.program("arecord", "sys.exit('arecord: audio open error: Device or resource busy')")
    return scene.machine(microphone="arecord")


@provokes("microphone-denied", "Permission denied", "sudo usermod -aG audio")
def a_microphone_of_another_group(scene: Scene) -> Machine:
    scene.program("arecord", "sys.exit('arecord: audio open error: Permission denied')")
    return scene.machine(microphone="arecord")


@provokes("microphone-stalled", "has given nothing for", "cable")
def a_microphone_that_hangs(scene: Scene) -> Machine:
    scene.program("arecord", "time.sleep(60)")
    return scene.machine(microphone="arecord")


@provokes("microphone-failed", "speech.wav", "")
def a_damaged_sound_file(scene: Scene) -> Machine:
    (scene.folder / "speech.wav").write_bytes(b"no sound")
    return scene.machine(microphone="speech.wav")


@provokes("microphone-silent", "gives silence", "alsamixer")
def a_muted_microphone(scene: Scene) -> Machine:
    scene.program("arecord", SILENCE)
    return scene.machine(microphone="arecord")


@provokes("microphone-rate", "refuses 16 kHz and is opened at 44.1 kHz", "resampled")
def a_microphone_of_its_own_rate(scene: Scene) -> Machine:
    scene.own_module("sounddevice", USB_MICROPHONE)
    return scene.machine()
