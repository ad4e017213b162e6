"""The rules of all sources, on generators in the place of drivers."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

import numpy as np
import pytest

from edge_runtime.capture.camera import Camera, Frame, is_black
from edge_runtime.capture.source import DeviceError, State, device_error
from edge_runtime.errors import UsageError
from tests.edge_runtime.capture.stand_ins import plain, seconds_until

Frames = Generator[Frame, None, None]


def now(level: int = 200) -> Frame:
    return Frame(plain(level), time.monotonic())


def running(stop: threading.Event) -> Frames:
    while not stop.wait(0.02):
        yield now()


def test_a_driver_that_hangs_hangs_nobody_else() -> None:
    awake = threading.Event()

    def hanging(stop: threading.Event) -> Frames:
        yield now()
        awake.wait(20)
        yield now(100)
        stop.wait(20)

    with Camera("camera", hanging) as camera:
        first = camera.latest(1.0)
        assert first is not None
        asked_s = time.monotonic()
        assert camera.latest(0.2, newer_than=first) is None
        assert 0.2 <= time.monotonic() - asked_s < 0.4
        assert seconds_until(camera, "stalled", 3.0) < 2.0
        time.sleep(0.6)
        assert camera.latest(0.0) is None  # too old to say who is there
        awake.set()
        assert camera.latest(1.0) is not None and camera.status.state == "ok"


def test_closing_does_not_wait_for_a_driver_that_hangs() -> None:
    awake = threading.Event()

    def hanging(stop: threading.Event) -> Frames:
        awake.wait(20)
        yield now()

    with Camera("camera", hanging) as camera:
        closing_s = time.monotonic()
    assert time.monotonic() - closing_s < 2.5
    awake.set()
    assert camera.status.state == "closed"
    assert camera.latest(5.0) is None


def test_the_device_is_closed_by_the_thread_that_opened_it() -> None:
    threads: list[int] = []

    def device(stop: threading.Event) -> Frames:
        threads.append(threading.get_ident())
        try:
            yield from running(stop)
        finally:
            threads.append(threading.get_ident())

    with Camera("camera", device) as camera:
        assert camera.latest(1.0)
    assert len(threads) == 2 and len(set(threads)) == 1 and threads[0] != threading.get_ident()
    assert not [thread for thread in threading.enumerate() if thread.name == "visavox camera"]


def test_a_lost_device_is_opened_again_ever_more_rarely() -> None:
    tries_s: list[float] = []

    def missing(stop: threading.Event) -> Frames:
        tries_s.append(time.monotonic())
        if len(tries_s) < 4:
            raise DeviceError("missing", "not there")
        yield from running(stop)

    with Camera("camera", missing) as camera:
        assert seconds_until(camera, "missing", 1.0) < 0.5
        assert camera.status.message == "not there"
        assert camera.latest(8.0) is not None
        waits_s = np.diff(tries_s)
        assert (np.diff(waits_s) > -0.1).all() and waits_s[0] < 1.0 and waits_s.max() < 2.5


def test_nothing_of_before_a_loss_is_given_out() -> None:
    runs: list[int] = []

    def once(stop: threading.Event) -> Frames:
        runs.append(1)
        if len(runs) == 1:
            yield now()
            raise DeviceError("missing", "gone")
        stop.wait(20)

    with Camera("camera", once) as camera:
        assert camera.latest(1.0) is not None
        while len(runs) < 2:
            time.sleep(0.01)
        time.sleep(0.05)
        assert camera.latest(0.0) is None


def test_what_cannot_mend_itself_is_not_tried_again() -> None:
    tries: list[int] = []

    def damaged(stop: threading.Event) -> Frames:
        tries.append(1)
        raise DeviceError("failed", "damaged")
        yield now()

    with Camera("camera", damaged) as camera:
        asked_s = time.monotonic()
        assert camera.latest(5.0) is None  # there is nothing to wait for
        assert time.monotonic() - asked_s < 1.0
        time.sleep(0.6)
        assert len(tries) == 1 and camera.status.state == "failed"


def test_a_fault_of_ours_shows_itself_to_the_reader() -> None:
    def faulty(stop: threading.Event) -> Frames:
        yield now()
        raise ZeroDivisionError("a fault")

    with Camera("camera", faulty) as camera:
        seconds_until(camera, "failed", 1.0)
        with pytest.raises(ZeroDivisionError, match="a fault"):
            camera.latest(1.0)


def test_a_file_ends() -> None:
    def short(stop: threading.Event) -> Frames:
        yield now()

    with Camera("scene.mp4", short) as camera:
        frame = camera.latest(1.0)
        seconds_until(camera, "ended", 1.0)
        asked_s = time.monotonic()
        assert camera.latest(5.0, newer_than=frame) is None
        assert time.monotonic() - asked_s < 1.0
        assert camera.latest(0.0) is frame  # the last one is still to be looked at
    assert camera.status.state == "closed"


def test_a_camera_that_begins_black_is_ok() -> None:
    start_s = time.monotonic()

    def waking(stop: threading.Event) -> Frames:
        while not stop.wait(0.02):
            yield now(5 if time.monotonic() - start_s < 1.0 else 200)

    said: set[State] = set()
    with Camera("camera", waking) as camera:
        while time.monotonic() - start_s < 2.0:
            said.add(camera.status.state)
            time.sleep(0.02)
    assert said <= {"starting", "ok"}


@pytest.mark.parametrize(("level", "black"), [(0, True), (16, True), (24, True), (60, False)])
def test_black(level: int, black: bool, rng: np.random.Generator) -> None:
    assert is_black(plain(level)) is black
    lit = plain(level)
    lit[:32, :32] = 200  # one fifth of the height, a face far away
    assert not is_black(lit)
    hot = plain(level)
    hot[64, 64] = 255  # a hot pixel
    assert is_black(hot) is black


def test_a_source_is_opened_once() -> None:
    camera = Camera("camera", running)
    with camera:
        pass
    with pytest.raises(UsageError, match="camera has been opened before"), camera:
        pass


@pytest.mark.parametrize(("said", "state"), [
    ("Device or resource busy", "busy"), ("Device unavailable [PaErrorCode -9985]", "busy"),
    ("Pipeline handler in use by another process", "busy"), ("failed to acquire camera", "busy"),
    ("Permission denied", "denied"), ("No such file or directory", "missing"), ("", "missing"),
])
def test_what_drivers_say(said: str, state: State) -> None:
    error = device_error("camera 0", said + "\n")
    assert error.state == state
    assert str(error).startswith("camera 0: ") and "\n" not in str(error)
    assert "; " in str(error)  # what to do
