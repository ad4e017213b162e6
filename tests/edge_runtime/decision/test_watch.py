"""Names over time: from frames and sound handed over, and from a video and a sound file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile

from edge_runtime.apps.cli import main
from edge_runtime.bundle.manifest import TrainedThresholds
from edge_runtime.capture.camera import Frame
from edge_runtime.capture.devices import camera_from, microphone_from
from edge_runtime.capture.microphone import Clip
from edge_runtime.decision.evidence import FORGET_AFTER_S, FRESH_S, GONE_S, NAME_AFTER_S
from edge_runtime.decision.identify import Identifier
from edge_runtime.decision.watch import Seen, Watcher, watch
from edge_runtime.errors import UsageError
from edge_runtime.signals.detection import HaarDetector, Picture
from edge_runtime.signals.reader import Stages
from edge_runtime.signals.voice import CLIP_SAMPLES, SAMPLE_RATE
from tests.edge_runtime.capture.stand_ins import NetworkCamera
from train.synthetic import room_picture
from train.synthetic.faces import Identity
from train.synthetic.voices import Speaker, speak

Change = Callable[[dict[str, Any]], Path]
ALL_NAMED = {"thresholds": {"face": 0, "voice": 0, "ensemble": 0, "false_accept_rate": 0.01,
                            "false_accept_bound": 0.02}}
WALL = np.full((480, 640, 3), 120, np.uint8)
HEARD_S = CLIP_SAMPLES / SAMPLE_RATE


def room(person: int, take: int = 0) -> Picture:
    who = Identity.draw(np.random.default_rng(person))
    return room_picture(who, np.random.default_rng([person, take]))[0]


@pytest.fixture
def bundle(changed_bundle: Change) -> Path:
    """Whoever is there is named as the one most alike."""
    return changed_bundle(ALL_NAMED)


@pytest.fixture
def watcher(bundle: Path) -> Watcher:
    return Watcher(Identifier.load(bundle), HaarDetector())


@pytest.fixture
def speech() -> Clip:
    rng = np.random.default_rng(0)
    return Clip(speak(Speaker.draw(rng), rng)[:CLIP_SAMPLES], end_s=10.0)


def test_a_face_is_named_after_a_moment_and_forgotten_when_it_is_gone(watcher: Watcher) -> None:
    assert watcher.decide(0.0) == (None, None)
    quality = watcher.see(Frame(room(1), 10.0), Stages())
    assert quality["face"] == ()
    named, decision = watcher.decide(10.0)
    assert named is None and decision is not None and decision.person is not None
    watcher.see(Frame(room(1), 10.0 + NAME_AFTER_S), Stages())
    named, decision = watcher.decide(10.0 + NAME_AFTER_S)
    assert decision is not None and named == decision.person
    assert decision.scores["fused"].sum() == pytest.approx(1, abs=1e-5)

    quality = watcher.see(Frame(WALL, 10.5), Stages())
    assert [flaw.reason for flaw in quality["face"] or ()] == ["no_face"]
    assert watcher.decide(10.5)[0] == named
    assert watcher.decide(12 + FRESH_S) == (None, None)


def test_both_are_gathered(watcher: Watcher, speech: Clip) -> None:
    watcher.see(Frame(room(1), 10.0 - GONE_S / 2), Stages())
    assert watcher.hear(speech, Stages())["voice"] == ()
    _, decision = watcher.decide(10.0)
    assert decision is not None and list(decision.scores) == ["face", "voice", "fused"]


def test_what_is_no_speech_says_nothing(watcher: Watcher) -> None:
    hum = 1e-3 * np.random.default_rng(0).standard_normal(CLIP_SAMPLES).astype(np.float32)
    assert watcher.hear(Clip(hum, 10.0), Stages())["voice"]
    assert watcher.decide(10.0) == (None, None)


def test_who_comes_next_is_somebody_else(watcher: Watcher, speech: Clip) -> None:
    """Nothing of the one before counts, nor what was said before the face came."""
    assert watcher.heard_s(10.0) == HEARD_S  # nobody has come: all that is heard
    watcher.see(Frame(room(1), 10.0), Stages())
    watcher.hear(speech, Stages())
    assert watcher.heard_s(10.5) == pytest.approx(0.5) and watcher.heard_s(20.0) == HEARD_S
    watcher.see(Frame(WALL, 10.0 + GONE_S / 2), Stages())
    watcher.see(Frame(room(2), 10.0 + GONE_S), Stages())
    _, decision = watcher.decide(10.0 + GONE_S)
    assert decision is not None and list(decision.scores) == ["face", "fused"]
    alone = watcher._identifier.identify(picture=room(2))
    np.testing.assert_allclose(decision.scores["fused"], alone.scores["fused"], atol=1e-4)


def test_a_slow_machine_knows_who_stays(watcher: Watcher) -> None:
    """Between two of its looks more time passes than somebody needs to go and another to come."""
    watcher.see(Frame(room(1), 10.0), Stages())
    assert watcher.decide(10.0)[0] is None
    watcher.see(Frame(room(1), 10.0 + 1.5 * GONE_S), Stages())
    assert watcher.decide(10.0 + 1.5 * GONE_S)[0] is not None
    assert watcher.heard_s(10.5) == pytest.approx(0.5)  # one person all the time


@pytest.fixture
def known_and_stranger(watcher: Watcher) -> tuple[int, int]:
    """Of some drawn people the one whom the bundle is surest of and the one whom it doubts most;
    from now on thresholds tell them apart."""
    identifier = watcher._identifier
    sure = {who: identifier.identify(picture=room(who)).top[0].score for who in range(1, 6)}
    known, stranger = max(sure, key=sure.__getitem__), min(sure, key=sure.__getitem__)
    assert sure[stranger] < sure[known]
    between = (sure[stranger] + sure[known]) / 2
    identifier.manifest = msgspec.structs.replace(identifier.manifest, thresholds=TrainedThresholds(
        face=between, voice=1.0, ensemble=1.0, false_accept_rate=0.01, false_accept_bound=0.02))
    return known, stranger


def show(watcher: Watcher, picture: Picture, *times_s: float) -> str | None:
    """Who is named after looks at a picture."""
    for time_s in times_s:
        watcher.see(Frame(picture, time_s), Stages())
        named, _ = watcher.decide(time_s)
    return named


def test_a_stranger_does_not_get_the_name_of_who_was_there(
    watcher: Watcher, known_and_stranger: tuple[int, int]
) -> None:
    known, stranger = (room(who) for who in known_and_stranger)
    name = show(watcher, known, 10.0, 10.2)
    assert name is not None
    assert show(watcher, WALL, 10.4, 10.6, 10.8) == name  # may have turned away
    assert show(watcher, known, 11.2) == name  # who returns need not be named anew
    assert show(watcher, WALL, 11.4) == name
    assert show(watcher, stranger, 11.2 + GONE_S) is None
    assert show(watcher, WALL, 12.2, 13.0) is None
    assert show(watcher, known, 13.2) is None
    assert show(watcher, known, 13.4) == name


def test_who_has_gone_is_named_no_longer(
    watcher: Watcher, known_and_stranger: tuple[int, int], speech: Clip
) -> None:
    """Or a stranger whose face is not good enough would bear the name."""
    assert show(watcher, room(known_and_stranger[0]), 10.0, 10.2) is not None
    assert show(watcher, WALL, 10.4, 10.9) is not None
    assert show(watcher, WALL, 10.2 + GONE_S) is None
    assert watcher.decide(11.1) == (None, None)
    assert watcher.heard_s(11.5) == pytest.approx(11.5 - 10.2 - GONE_S)
    watcher.hear(speech, Stages())  # of somebody out of sight
    show(watcher, WALL, 12.0, 13.0)
    _, decision = watcher.decide(13.0)
    assert decision is not None and list(decision.scores) == ["voice", "fused"]


def test_a_camera_that_is_lost_takes_no_name_at_once(
    watcher: Watcher, known_and_stranger: tuple[int, int]
) -> None:
    """What was seen is still evidence, and confirms nobody."""
    name = show(watcher, room(known_and_stranger[0]), 10.0, 10.2)
    assert watcher.decide(10.2 + 0.9 * FORGET_AFTER_S)[0] == name is not None
    named, decision = watcher.decide(10.2 + FORGET_AFTER_S)
    assert named is None and decision is not None and FORGET_AFTER_S < FRESH_S


def test_a_fused_network_is_refused(watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(watcher._identifier.manifest.files, "voice")
    with pytest.raises(UsageError, match="expected a bundle of a pair"):
        Watcher(watcher._identifier, HaarDetector())


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two seconds of an empty room and two of somebody in it, with speech all the time."""
    import cv2

    folder = tmp_path_factory.mktemp("scene")
    video, sound = folder / "scene.mp4", folder / "scene.wav"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"mp4v"), 10, (640, 480))
    empty = np.full((480, 640, 3), 120, np.uint8)
    for picture in [empty] * 20 + [room(1)] * 20:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()
    rng = np.random.default_rng(3)
    who = Speaker.draw(rng)
    spoken = np.concatenate([speak(who, rng) for _ in range(3)])[: 4 * SAMPLE_RATE]
    soundfile.write(sound, spoken, SAMPLE_RATE)
    return video, sound


def test_a_video_with_sound(
    bundle: Path, scene: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["watch", "--bundle", str(bundle), "--camera", str(scene[0]), "--microphone",
                 str(scene[1])]
    assert main([*arguments, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    states = [(line["source"], line["state"]) for line in lines if "source" in line]
    assert {("camera", "ok"), ("microphone", "ok"), ("camera", "ended"),
            ("microphone", "ended")} <= set(states)
    names = [line["person"] for line in lines if "person" in line]
    assert names and set(names) <= {*Identifier.load(bundle).manifest.people, None}
    assert all(line["interpreter"].startswith("ai-edge-litert ") for line in lines
               if "person" in line)
    assert [line["at_s"] for line in lines] == sorted(line["at_s"] for line in lines)

    assert main([*arguments, "--seconds", "0.1"]) == 0
    assert " gives " in capsys.readouterr().out


def until(looks: Iterator[Seen], there: Callable[[Seen], bool], within_s: float) -> Seen:
    """The first look of which that is so."""
    begin_s = time.monotonic()
    for seen in looks:
        if there(seen):
            return seen
        assert time.monotonic() - begin_s < within_s, seen.status
    raise AssertionError("it has ended")


def test_each_goes_on_without_the_other(watcher: Watcher, tmp_path: Path) -> None:
    """A camera that is lost and found again, and a microphone that ends."""
    network_camera = NetworkCamera(room(1))
    network_camera.start()
    rng = np.random.default_rng(3)
    who = Speaker.draw(rng)
    spoken = np.concatenate([speak(who, rng) for _ in range(9)])[: 12 * SAMPLE_RATE]
    soundfile.write(tmp_path / "sound.wav", spoken, SAMPLE_RATE)
    with (camera_from(network_camera.address) as camera,
          microphone_from(str(tmp_path / "sound.wav")) as microphone):
        looks = watch(watcher, camera, microphone, seconds=60.0)
        until(looks, lambda seen: seen.quality.keys() >= {"face", "voice"}, 8.0)
        network_camera.stop()
        until(looks, lambda seen: seen.status["camera"].state in ("missing", "stalled"), 2.0)
        until(looks, lambda seen: seen.quality.keys() == {"voice"} and bool(
            seen.decision and "voice" in seen.decision.scores), 4.0)
        network_camera.start()
        until(looks, lambda seen: "face" in seen.quality, 5.0)
        until(looks, lambda seen: seen.status["microphone"].state == "ended", 15.0)
        until(looks, lambda seen: "face" in seen.quality, 2.0)
    network_camera.stop()


@pytest.mark.parametrize(("arguments", "message"), [
    ([], "expected --camera or --microphone or both, found neither"),
    (["--camera", "nowhere.mp4"], "--camera expects auto"),
    (["--microphone", "no/such.wav"], "--microphone expects auto"),
    (["--camera", "0", "--seconds", "0"], "--seconds expects a number above 0, found 0"),
    (["--camera", "0", "--gallery", "no.db"], "no.db: expected a gallery, found no file")])
def test_mistakes(
    bundle: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["watch", "--bundle", str(bundle), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error and len(error.splitlines()) == 1
