"""Enrolled from a camera and a microphone: a film with sound, a stream, and a sound server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_runtime.capture.camera import Frame
from edge_runtime.capture.devices import camera_from
from edge_runtime.capture.microphone import Clip
from edge_runtime.decision.identify import Identifier
from edge_runtime.enrolment.live import CLIP_S, FACE_EVERY_S, LiveEnrolment, gather
from edge_runtime.errors import GalleryError, UsageError
from edge_runtime.signals.detection import HaarDetector, Picture
from edge_runtime.signals.voice import CLIP_SAMPLES, SAMPLE_RATE, Sound
from tests.edge_runtime.capture.stand_ins import NetworkCamera, SoundServer
from tests.edge_runtime.gallery_device import Device
from train.synthetic import room_picture
from train.synthetic.faces import Identity
from train.synthetic.voices import Speaker, speak

WALL = np.full((480, 640, 3), 120, np.uint8)


def room(person: int, take: int = 0) -> Picture:
    who = Identity.draw(np.random.default_rng(person))
    return room_picture(who, np.random.default_rng([person, take]))[0]


def speech(seconds: float) -> Sound:
    """float32 [samples] of somebody who speaks all the time."""
    rng = np.random.default_rng(3)
    who, sound = Speaker.draw(rng), np.empty(0, np.float32)
    while sound.size < seconds * SAMPLE_RATE:
        sound = np.concatenate([sound, speak(who, rng)])
    return sound[: round(seconds * SAMPLE_RATE)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two takes of somebody, a second each, and their speech for as long as two clips take."""
    import cv2

    folder = tmp_path_factory.mktemp("film")
    video, sound = folder / "film.mp4", folder / "film.wav"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"mp4v"), 10, (640, 480))
    for second in range(6):
        for _ in range(10):
            writer.write(cv2.cvtColor(room(1, second % 2), cv2.COLOR_RGB2BGR))
    writer.release()
    soundfile.write(sound, speech(6.5), SAMPLE_RATE)
    return video, sound


def test_a_film_with_sound(device: Device, film: tuple[Path, Path]) -> None:
    live = ("--bundle", device.bundle, "--gallery", device.gallery, "--camera", film[0],
            "--microphone", film[1], "--faces", 2, "--clips", 2)
    code, out, err = device.call("enroll", "Anna", *live, "--json")
    assert code == 0, err
    assert json.loads(out).items() >= {"person": "Anna", "faces": 2, "clips": 2}.items()
    lines = err.splitlines()
    assert lines[0] == "look into the camera, turn the head a little, and speak"
    assert lines[-1] == "2 faces, 2 clips"
    device.check_intact("Anna")
    kept = {path.name for path in device.folder.rglob("*")
            if path.is_file() and path.parent.name != "galleries"}  # which are of 150 bytes
    assert kept <= {"gallery.db", "gallery.db-wal", "gallery.db-shm", "device.key"}

    begin_s = time.monotonic()
    code, _, err = device.call("enroll", "anna", *live)
    assert code == 2 and "'anna' is enrolled already" in err.splitlines()[-1]
    assert time.monotonic() - begin_s < 2  # nobody has to sit down for that
    code, _, err = device.call("enroll", "Annika", *live, "--clips", 1)
    assert code == 2 and "'Annika' seems to be enrolled already as 'Anna'" in err.splitlines()[-1]
    code, _, err = device.call("enroll", "Ben", *live, "--faces", 20)
    assert code == 2
    assert err.splitlines()[-1].startswith("visavox: expected 20 faces and 2 clips, found ")
    assert "nobody is enrolled" in err.splitlines()[-1]
    device.check_intact("Anna")


@pytest.fixture
def network_camera() -> Iterator[NetworkCamera]:
    camera = NetworkCamera(WALL)
    camera.start()
    yield camera
    camera.stop()


def test_a_stream_whose_bad_pictures_are_refused(
    device: Device, network_camera: NetworkCamera
) -> None:
    def come_and_turn() -> None:
        time.sleep(1.5)
        network_camera.picture = room(1)
        time.sleep(2.5)
        network_camera.picture = room(1, 1)

    threading.Thread(target=come_and_turn).start()
    code, out, err = device.call(
        "enroll", "Anna", "--bundle", device.bundle, "--gallery", device.gallery, "--camera",
        network_camera.address, "--faces", 2)
    assert (code, out) == (0, "Anna is enrolled from 2 faces and 0 clips\n"), err
    assert "face: no face was found; look into the camera, with light on the face" in err
    assert "secret" not in err


def test_a_camera_that_is_not_there(device: Device, network_camera: NetworkCamera) -> None:
    network_camera.stop()
    code, _, err = device.call(
        "enroll", "Anna", "--bundle", device.bundle, "--gallery", device.gallery, "--camera",
        network_camera.address, "--seconds", 1)
    last = err.splitlines()[-1]
    assert code == 2 and "expected 5 faces and 0 clips, found 0 faces and 0 clips (" in last
    assert "no video comes from there" in last and not device.gallery.exists()


@pytest.mark.audio
def test_a_microphone(sound_server: SoundServer, device: Device) -> None:
    sound_server.play(speech(10.0), SAMPLE_RATE)
    code, out, err = device.call(
        "enroll", "Anna", "--bundle", device.bundle, "--gallery", device.gallery, "--microphone",
        "pulse", "--clips", 1, "--seconds", 9)
    assert (code, out) == (0, "Anna is enrolled from 0 faces and 1 clip\n"), err


@pytest.mark.parametrize(("arguments", "message"), [
    (["--camera", "0", "--face", "x.png"], "found both; enroll from one of them"),
    (["--camera", "0", "--faces", "0"], "--faces, --clips and --seconds expect numbers above 0"),
    (["--camera", "0", "--faces", "21"], "at most 20 samples of a face, found 21"),
    (["--microphone", "0", "--clips", "21"], "at most 20 samples of a voice, found 21"),
    (["--microphone", "0", "--seconds", "-1"], "expect numbers above 0"),
    (["--camera", "nowhere.mp4"], "--camera expects auto")])
def test_mistakes(device: Device, arguments: list[str], message: str) -> None:
    assert message in device.mistake("enroll", "Anna", "--bundle", device.bundle, "--gallery",
                                     device.gallery, *arguments)
    assert not device.gallery.exists()


@pytest.fixture
def enrolment(device: Device) -> LiveEnrolment:
    return LiveEnrolment(Identifier.load(device.bundle), HaarDetector(), 3, 2, begun_s=10.0)


def test_which_faces_are_taken(enrolment: LiveEnrolment) -> None:
    two = np.concatenate([room(1), room(5)], axis=1)
    far = np.pad(room(1)[::3, ::3], ((160, 160), (0, 400), (0, 0)), "edge")
    for at_s, picture, reason in (
            (10.0, WALL, "no face was found"), (11.0, two, "2 faces were found"),
            (12.0, far, "at least 64 are needed; come closer"), (13.0, room(1), None),
            (14.0, room(1), "the same as one before; move a little")):
        enrolment.see(Frame(picture, at_s))
        refused = enrolment.refused["face"]
        assert refused is None if reason is None else reason in (refused or "")
    assert enrolment.count("face") == 1
    enrolment.see(Frame(room(1, 1), 15.0))
    enrolment.see(Frame(room(1, 2), 15.0 + 0.9 * FACE_EVERY_S))  # too soon
    assert enrolment.count("face") == 2 and enrolment.wants("face")
    enrolment.see(Frame(room(1, 2), 20.0))
    enrolment.see(Frame(room(1, 3), 30.0))  # enough
    assert [sample.source for sample in enrolment.samples] == ["face 1", "face 2", "face 3"]


def test_which_clips_are_taken(enrolment: LiveEnrolment) -> None:
    said = speech(3 * CLIP_S)
    first, second, third = (said[i * CLIP_SAMPLES:][:CLIP_SAMPLES] for i in range(3))
    enrolment.hear(Clip(first, 10.0 + CLIP_S / 2))  # it began before
    enrolment.hear(Clip(first[:-1], 20.0))  # it is too short
    assert enrolment.refused == {}
    enrolment.hear(Clip(np.zeros_like(first), 20.0))
    assert "0.0 s of speech were heard" in (enrolment.refused["voice"] or "")
    enrolment.hear(Clip(first, 20.0))
    assert enrolment.refused["voice"] is None and enrolment.count("voice") == 1
    enrolment.hear(Clip(second, 20.0 + 0.9 * CLIP_S))  # it overlaps
    assert enrolment.count("voice") == 1
    enrolment.hear(Clip(second, 20.0 + CLIP_S))
    enrolment.hear(Clip(third, 40.0))  # enough
    assert [sample.source for sample in enrolment.samples] == ["clip 1", "clip 2"]


def test_a_bundle_without_the_network(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    identifier = Identifier.load(device.bundle)
    monkeypatch.delitem(identifier._networks, "voice")
    with pytest.raises(UsageError, match="expected a bundle with a voice network of its own"):
        LiveEnrolment(identifier, HaarDetector(), 0, 1, 0.0)
    LiveEnrolment(identifier, HaarDetector(), 1, 0, 0.0)


def test_the_time_is_over(enrolment: LiveEnrolment, network_camera: NetworkCamera) -> None:
    begin_s = time.monotonic()
    with (camera_from(network_camera.address) as camera,
          pytest.raises(GalleryError, match=r"found 0 faces and 0 clips \(no face was found; ")):
        for _ in gather(enrolment, camera, None, 1.0):
            pass
    assert 1.0 < time.monotonic() - begin_s < 3.0
