"""Somebody is enrolled at the kiosk, recognised, and forgotten; and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from edge_runtime.apps.kiosk.service import Service
from edge_runtime.decision.decide import COLUMNS, EnrolledThresholds
from edge_runtime.decision.similarity import LogOdds, Similarity
from edge_runtime.gallery.store import Gallery
from tests.edge_runtime.apps.kiosk.stand_ins import Scene, client_of, room, speech, wait_until

JSON = dict[str, Any]


class Owner:
    """Asks with the token."""

    def __init__(self, client: TestClient, token: str) -> None:
        self.client, self._headers = client, {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, body: JSON | None = None, status: int = 200) -> JSON:
        answer = self.client.request(method, f"/api{path}", json=body, headers=self._headers)
        assert answer.status_code == status, answer.text
        found: JSON = answer.json()
        return found

    def begin(self, name: str = "Anna") -> JSON:
        return self.ask("POST", "/enrolment", {"name": name, "consent": "to be greeted"}, 201)

    def face(self, angle: str) -> JSON:
        return self.ask("POST", "/enrolment/face", {"angle": angle})

    def state(self) -> str:
        return str(self.client.get("/api/status").json()["state"])


@pytest.fixture
def owner_asks(
    enrolling_service: Service, token: str
) -> Iterator[Owner]:
    enrolling_service.enrolment.recorded_s = 2.0
    with client_of(enrolling_service) as client:
        yield Owner(client, token)


def test_a_whole_enrolment(owner_asks: Owner, scene: Scene, gallery: Gallery) -> None:
    ask = owner_asks.ask
    similar = LogOdds({"face": 1.0}, -0.5)
    gallery.set_thresholds(EnrolledThresholds(
        similarity=Similarity(similar, LogOdds({"voice": 1.0}, -0.5),
                              LogOdds({"face": 1.0, "voice": 1.0}, -1.0)),
        least=dict.fromkeys(COLUMNS, 0.0), false_accept_rate=0.05,
        false_accept_bound=dict.fromkeys(COLUMNS, 0.05), miss_rate=dict.fromkeys(COLUMNS, 0.1),
        people=1))
    scene.sound, scene.picture = speech(1), room(1)
    assert owner_asks.begin(" Anna ") == {"name": "Anna", "angles": ["front", "left", "right"],
                                          "sentences": 3, "recorded_s": 2.0}
    assert owner_asks.state() == "enrolling"
    for take, angle in enumerate(("front", "left", "right")):
        scene.picture = room(1, take)
        wait_until(lambda angle=angle: owner_asks.face(angle)["kept"])
    for sentence in (1, 2):
        taken = ask("POST", "/enrolment/voice", {"sentence": sentence})
        assert taken == {"kept": True, "reason": None, "message": None, "hint": None}
    found = ask("POST", "/enrolment/finish", {"allow_duplicate": False})
    assert (found["person"], found["faces"], found["clips"]) == ("Anna", 3, 2)
    assert found["recognised"] is True and found["reason"] == "accepted"

    with owner_asks.client.websocket_connect("ws://localhost/api/events") as socket:
        decision = next(m for _ in range(200) if (m := socket.receive_json())["type"] == "decision")
        assert decision["person"] == "Anna"
    [person] = ask("GET", "/people")["people"]
    assert person["person"] == "Anna" and person["consent"] == "to be greeted"
    assert [line.consent for line in gallery.audit()][-1] == "to be greeted"
    assert "is enrolled already" in ask(
        "POST", "/enrolment", {"name": "ANNA", "consent": "x"}, 409)["detail"]

    forgotten = ask("DELETE", "/people/Anna")
    assert forgotten["left"] == 0 and forgotten["markers"] > 0 and forgotten["searched"]
    assert ask("GET", "/people") == {"people": []}
    assert "nobody" in ask("DELETE", "/people/Anna", status=409)["detail"].lower()
    wait_until(lambda: owner_asks.state() == "nobody")


def test_what_is_not_good_enough_is_not_kept(owner_asks: Owner, scene: Scene) -> None:
    owner_asks.begin()
    assert owner_asks.face("front")["reason"] == "no_face"
    scene.picture = (room(1) * 0.3).astype(room(1).dtype)
    wait_until(lambda: owner_asks.face("front")["hint"] == "brighter")
    taken = owner_asks.ask("POST", "/enrolment/voice", {"sentence": 1})
    assert not taken["kept"] and taken["reason"] == "too_little_speech" and taken["hint"] == "speak"
    assert "expected at least one face" in owner_asks.ask(
        "POST", "/enrolment/finish", status=409)["detail"]
    scene.picture = None
    wait_until(lambda: owner_asks.face("front")["reason"] == "no_picture")
    assert owner_asks.ask("DELETE", "/enrolment") == {"cancelled": True}
    assert owner_asks.ask("DELETE", "/enrolment") == {"cancelled": False}
    assert owner_asks.state() != "enrolling"


def test_one_enrolment_at_a_time(owner_asks: Owner, scene: Scene) -> None:
    ask = owner_asks.ask
    assert "nobody is being enrolled" in ask(
        "POST", "/enrolment/face", {"angle": "front"}, 409)["detail"]
    owner_asks.begin()
    assert "already" in ask("POST", "/enrolment", {"name": "Ben", "consent": "x"}, 409)["detail"]


def test_an_abandoned_enrolment_is_given_up(
    owner_asks: Owner, enrolling_service: Service, scene: Scene
) -> None:
    owner_asks.begin()
    enrolling_service.enrolment.abandoned_s = 0.2
    wait_until(lambda: owner_asks.state() != "enrolling")
    assert "nobody is being" in owner_asks.ask("POST", "/enrolment/finish", status=409)["detail"]


@pytest.mark.parametrize("body", [
    {"name": "Anna"}, {"consent": "x"}, {"name": "", "consent": "x"},
    {"name": "Anna", "consent": ""}, {"name": 3, "consent": "x"},
    {"name": "Anna", "consent": "x", "more": 1}, []])
def test_bodies_of_another_shape(owner_asks: Owner, body: Any) -> None:
    owner_asks.ask("POST", "/enrolment", body, 422)


@pytest.mark.parametrize("name", ["../x", "a/b", "\u0000a", "---", "x" * 150])
def test_unfit_names(owner_asks: Owner, name: str) -> None:
    assert "expected a name" in owner_asks.ask(
        "POST", "/enrolment", {"name": name, "consent": "x"}, 409)["detail"]


def test_without_a_gallery_nobody_is_enrolled(client: TestClient, token: str) -> None:
    asks = Owner(client, token)
    new = {"name": "Anna", "consent": "x"}
    assert "--gallery" in asks.ask("POST", "/enrolment", new, 409)["detail"]
    assert asks.ask("GET", "/people") == {"people": []}
    assert "--gallery" in asks.ask("DELETE", "/people/Anna", status=409)["detail"]


def test_another_persons_face_does_not_agree(
    owner_asks: Owner, enrolling_service: Service, scene: Scene
) -> None:
    owner_asks.begin()
    scene.picture = room(1)
    wait_until(lambda: owner_asks.face("front")["kept"])
    begun = enrolling_service.enrolment.begun
    assert begun
    begun.samples["face front"].embedding[:] *= -1  # as far from any other face as can be
    taken = owner_asks.face("left")
    assert (taken["kept"], taken["reason"]) == (False, "not_alike")


def test_who_cancels_too_late_is_told_so(owner_asks: Owner, scene: Scene) -> None:
    scene.picture = room(1)
    owner_asks.begin()
    wait_until(lambda: owner_asks.face("front")["kept"])
    owner_asks.ask("POST", "/enrolment/finish")
    assert owner_asks.ask("DELETE", "/enrolment", status=409)["reason"] == "too_late"
    assert owner_asks.ask("DELETE", "/people/Anna")["left"] == 0
    assert owner_asks.ask("DELETE", "/enrolment") == {"cancelled": False}
    assert owner_asks.ask("GET", "/people") == {"people": []}


def test_a_kiosk_that_stops_in_the_middle_keeps_nothing(
    enrolling_service: Service, scene: Scene, gallery: Gallery, token: str
) -> None:
    scene.picture = room(1)
    with client_of(enrolling_service) as client:
        owner = Owner(client, token)
        owner.begin()
        wait_until(lambda: owner.face("front")["kept"])
    assert gallery.people() == [] and "enrolled" not in {line.event for line in gallery.audit()}
