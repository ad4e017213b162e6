"""Uploads to be judged: pictures and clips of all kinds, damaged ones, and too many at once."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path

import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient

from edge_runtime.decision.identify import Identifier
from edge_runtime.signals.voice import SAMPLE_RATE
from tests.edge_runtime.apps.kiosk.stand_ins import room, speech

Headers = dict[str, str]


def png(side: int = 480) -> bytes:
    content = io.BytesIO()
    Image.fromarray(room(1)).resize((side * 4 // 3, side)).save(content, "PNG")
    return content.getvalue()


def wav(seconds: float = 3.0) -> bytes:
    content = io.BytesIO()
    soundfile.write(content, speech(1, seconds), SAMPLE_RATE, format="WAV")
    return content.getvalue()


SHORT, SMALL = wav(0.5), png(64)


def test_a_decision_is_the_command_lines(
    client: TestClient, owner: Headers, small_people: Path, kiosk_identifier: Identifier
) -> None:
    face = sorted(small_people.glob("*/face/*.png"))[0]
    clip = sorted(small_people.glob("*/voice/*.flac"))[0]
    answer = client.post("/api/identify", headers=owner, files={
        "face": face.read_bytes(), "voice": clip.read_bytes()})
    expected = json.loads(json.dumps(kiosk_identifier.identify(face=face, voice=clip).content()))
    found = answer.json()
    assert answer.status_code == 200
    for key in set(expected) - {"ms"}:
        assert found[key] == expected[key], key
    assert set(found["ms"]) == set(expected["ms"])
    assert 'visavox_identified_total{reason="accepted"} 1.0' in client.get("/metrics").text


def test_a_whole_picture_and_a_voice_alone(client: TestClient, owner: Headers) -> None:
    for files in ({"picture": png()}, {"voice": wav()}, {"picture": png(), "voice": wav()}):
        answer = client.post("/api/identify", headers=owner, files=files)
        assert answer.status_code == 200 and answer.json()["person"], answer.text


@pytest.mark.parametrize(("files", "message"), [
    ({}, "expected a face, a voice, or both"),
    ({"picture": b""}, "the picture: expected a picture"),
    ({"picture": b"no picture"}, "the picture: expected a picture"),
    ({"face": png()[:2000]}, "the face: the picture is cut off"),
    ({"voice": b"no sound"}, "the voice: expected a sound file"),
    ({"picture": png(), "face": png()}, "expected a picture or a face, found both")])
def test_files_that_cannot_be_used(
    client: TestClient, owner: Headers, files: dict[str, bytes], message: str
) -> None:
    answer = client.post("/api/identify", headers=owner, files=files)
    assert answer.status_code == 400 and message in answer.json()["detail"]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), at=st.integers(0, 3000), which=st.sampled_from(
    ["picture", "face", "voice"]))
def test_damaged_files_are_never_a_fault(
    client: TestClient, owner: Headers, content: bytes, at: int, which: str
) -> None:
    good = SHORT if which == "voice" else SMALL
    spoilt = good[:at] + content + good[at + len(content):]
    answer = client.post("/api/identify", headers=owner, files={which: spoilt})
    assert answer.status_code in (200, 400), answer.text


def test_many_at_once_beside_the_loop(client: TestClient, owner: Headers) -> None:
    statuses: list[int] = []

    def ask() -> None:
        for _ in range(3):
            statuses.append(client.post("/api/identify", headers=owner,
                                        files={"voice": content}).status_code)

    content = wav()
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 24
    assert client.get("/healthz").status_code == 200
