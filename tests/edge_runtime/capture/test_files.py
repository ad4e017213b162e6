"""Files in the place of devices: at their own pace, together, to their end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from PIL import Image

from edge_runtime.capture.camera import Camera, Frame
from edge_runtime.capture.devices import camera_from, microphone_from
from edge_runtime.capture.files import FileClock
from edge_runtime.capture.microphone import Clip, Microphone
from tests.edge_runtime.capture.stand_ins import loudest_hertz, plain, seconds_until, tone
from train.synthetic import room_picture
from train.synthetic.faces import Identity

Array = npt.NDArray[Any]
FRAMES_PER_S = 20


def write_video(path: Path, pictures: list[Array], codec: str = "mp4v") -> Path:
    height, width = pictures[0].shape[:2]
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), FRAMES_PER_S,
                            (width, height))
    assert video.isOpened()
    for picture in pictures:
        video.write(picture[..., ::-1])
    video.release()
    return path


def frames_of(camera: Camera) -> list[Frame]:
    """All that a reader sees who is quick enough."""
    frames: list[Frame] = []
    while (frame := camera.latest(2.0, newer_than=frames[-1] if frames else None)) is not None:
        frames.append(frame)
    return frames


@pytest.mark.parametrize(("name", "codec"), [("scene.mp4", "mp4v"), ("scene.avi", "MJPG")])
def test_a_video_is_played_at_its_own_pace(tmp_path: Path, name: str, codec: str) -> None:
    levels = [40 + 6 * i for i in range(30)]
    file = write_video(tmp_path / name, [plain(level) for level in levels], codec)
    with camera_from(str(file)) as camera:
        frames = frames_of(camera)
        assert camera.status.state == "ended"
    assert len(frames) >= 25  # all 30, unless this machine is busy
    times_s = np.array([frame.at_s - frames[0].at_s for frame in frames])
    found = np.array([frame.picture[..., 0].mean() for frame in frames])
    expected = np.interp(times_s, np.arange(30) / FRAMES_PER_S, levels)
    assert np.abs(found - found[0] + levels[0] - expected).max() < 8
    assert times_s[-1] == pytest.approx(29 / FRAMES_PER_S, abs=0.11)


def test_a_synthetic_scene_comes_back_as_it_was(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    scene, _ = room_picture(Identity.draw(rng), rng)
    file = write_video(tmp_path / "scene.mp4", [scene] * 5)
    with camera_from(str(file)) as camera:
        frame = camera.latest(5.0)
        assert frame is not None and frame.picture.shape == (480, 640, 3)
        assert np.abs(frame.picture.astype(int) - scene).mean() < 10
        swapped = frame.picture[..., ::-1]
        assert (np.abs(frame.picture.astype(int) - scene).mean()
                < np.abs(swapped.astype(int) - scene).mean())


def test_a_slow_reader_gets_the_newest_frame(tmp_path: Path) -> None:
    file = write_video(tmp_path / "scene.mp4", [plain(40 + 4 * i) for i in range(40)])
    with camera_from(str(file)) as camera:
        first = camera.latest(5.0)
        assert first is not None
        time.sleep(1.0)
        second = camera.latest(0.5)
        assert second is not None
        assert second.at_s - first.at_s == pytest.approx(1.0, abs=0.25)
        assert time.monotonic() - second.at_s < 0.25


def test_pictures_of_a_folder(tmp_path: Path) -> None:
    for number, level in enumerate((50, 100, 150)):
        Image.fromarray(plain(level)).save(tmp_path / f"{number}.png")
    (tmp_path / "1-notes.txt").write_text("no picture")
    (tmp_path / "more").mkdir()
    with camera_from(str(tmp_path)) as camera:
        frames = frames_of(camera)
        assert camera.status.state == "ended"
    assert [frame.picture[0, 0, 0] for frame in frames] == [50, 100, 150]
    assert np.diff([frame.at_s for frame in frames]) == pytest.approx(0.5)


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    with camera_from(str(tmp_path)) as camera:
        assert camera.latest(2.0) is None
        assert camera.status.state == "failed"
        assert "expected a folder of pictures" in camera.status.message


@pytest.mark.parametrize("content", [b"", b"This is a letter.\n" * 100])
def test_no_video_and_no_sound(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "scene.mp4"
    file.write_bytes(content)
    with camera_from(str(file)) as camera, microphone_from(str(file)) as microphone:
        assert camera.latest(5.0) is None and microphone.last(1.0, 5.0) is None
        assert camera.status.state == microphone.status.state == "failed"
        assert "expected a video" in camera.status.message
        assert "expected a sound file" in microphone.status.message


@pytest.mark.parametrize("content", [
    "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", "ffconcat version 1.0\nfile '/etc/passwd'\n",
    "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=a\nm=video 9 RTP/AVP 96\n",
    "<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>"], ids=["m3u8", "concat", "sdp", "dash"])
def test_lists_of_other_files_are_no_videos(tmp_path: Path, content: str) -> None:
    file = tmp_path / "scene.mp4"
    file.write_text(content)
    with camera_from(str(file)) as camera:
        assert camera.latest(5.0) is None
        assert camera.status.state == "failed"
        assert "found none of MP4, MOV, AVI, Matroska, WebM and MPEG" in camera.status.message


def test_sound_without_a_length_is_played_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "scene.flac"
    soundfile.write(path, tone(440, 1.0, 16_000), 16_000)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:42] = bytes(20)
    path.write_bytes(content)
    with microphone_from(str(path)) as microphone:
        clip, _ = heard(microphone, 3.0)
        seconds_until(microphone, "ended", 3.0)
    assert clip.sound.size == pytest.approx(16_000, abs=1_600)


def heard(microphone: Microphone, until_s: float) -> tuple[Clip, float]:
    """The last clip, and when the sound in it began, as time.monotonic()."""
    clip = microphone.last(3.0, until_s)
    assert clip is not None
    return clip, clip.start_s + int(np.argmax(np.abs(clip.sound) > 0.05)) / 16_000


@pytest.mark.parametrize(("rate", "channels"), [
    (8_000, 1), (44_100, 2), (96_000, 2)])
def test_sound_of_any_rate(tmp_path: Path, rate: int, channels: int) -> None:
    sound = np.stack([tone(440, 1.2, rate)] * channels, axis=1)
    soundfile.write(tmp_path / "scene.wav", sound, rate)
    with microphone_from(str(tmp_path / "scene.wav")) as microphone:
        clip = microphone.last(1.0, 5.0)
        assert clip is not None and clip.sound.dtype == np.float32 and clip.sound.size == 16_000
        assert microphone.status.state == "ok"
    assert loudest_hertz(clip.sound) == pytest.approx(440, abs=1)
    assert np.abs(clip.sound[1000:-1000]).max() == pytest.approx(0.3, abs=0.01)
    assert clip.end_s <= time.monotonic() and clip.end_s - clip.start_s == pytest.approx(1.0)


@pytest.mark.parametrize("camera_first_s", [0.0, 0.7])
def test_a_video_and_a_sound_share_one_clock(tmp_path: Path, camera_first_s: float) -> None:
    """Light and sound begin one second into their files."""
    write_video(tmp_path / "scene.mp4", [plain(40)] * 20 + [plain(220)] * 20)
    sound = np.concatenate([np.zeros(44_100, np.float32), tone(440, 1.0, 44_100)])
    soundfile.write(tmp_path / "scene.wav", sound, 44_100)
    clock = FileClock()
    camera = camera_from(str(tmp_path / "scene.mp4"), clock)
    microphone = microphone_from(str(tmp_path / "scene.wav"), clock)
    with camera:
        time.sleep(camera_first_s)
        with microphone:
            frames = frames_of(camera)
            _, sound_s = heard(microphone, 0.0)
    light_s = next(frame.at_s for frame in frames if frame.picture[..., 0].mean() > 150)
    assert light_s == pytest.approx(sound_s, abs=0.11)
    assert light_s - frames[0].at_s == pytest.approx(1.0, abs=0.11)


def test_a_file_does_not_wait_for_ever_for_a_damaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_runtime.capture.files._JOIN_S", 0.5)
    (tmp_path / "scene.mp4").write_text("no video")
    soundfile.write(tmp_path / "scene.wav", tone(440, 1.0, 16_000), 16_000)
    clock = FileClock()
    camera = camera_from(str(tmp_path / "scene.mp4"), clock)
    microphone = microphone_from(str(tmp_path / "scene.wav"), clock)
    with camera, microphone:
        seconds_until(camera, "failed", 3.0)
        assert microphone.last(0.5, 3.0) is not None
