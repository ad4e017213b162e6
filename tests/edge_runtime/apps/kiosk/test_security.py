"""Hosts, origins, addresses, tokens and headers, on every route."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from edge_runtime.apps.kiosk.security import HEADERS, LOOPBACK_HOSTS, Guard, _host_name
from edge_runtime.apps.kiosk.service import Service
from edge_runtime.apps.kiosk.tokens import Tokens
from edge_runtime.apps.kiosk.visitors import DIRECT, is_loopback
from tests.edge_runtime.apps.kiosk.stand_ins import client_of

OWN = {"Sec-Fetch-Site": "same-origin"}
OPEN = ("/", "/healthz")  # to everybody
LOOKING = ("/api/status", "/metrics", "/docs")  # to who is on this machine
FOREIGN = [{"Host": "evil.example"}, {"Host": "localhost.evil.example"}, {"Host": "127.0.0.1@evil"},
           {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:1"},
           {"Origin": "https://localhost"}, {"Sec-Fetch-Site": "cross-site"},
           {"Sec-Fetch-Site": "same-site"}]


def routes(client: TestClient) -> list[tuple[str, str]]:
    schema = client.get("/openapi.json").json()
    return [("GET", "/"), ("GET", "/docs"), ("GET", "/openapi.json"), ("GET", "/nowhere"),
            *((method.upper(), path) for path, found in schema["paths"].items()
              for method in found)]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_every_route_refuses_foreign_hosts_and_origins(
    client: TestClient, owner: dict[str, str], headers: dict[str, str]
) -> None:
    found = routes(client)
    assert len(found) > 12
    for method, path in found:
        answer = client.request(method, path, headers=owner | headers)
        assert answer.status_code == 403, (method, path)
        assert "expected" in answer.json()["detail"]
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    with (pytest.raises(WebSocketDisconnect) as closed,
          client.websocket_connect("ws://localhost/api/events", headers=headers)):
        pass
    assert closed.value.code == 1008


def test_own_hosts_and_origins_are_served(client: TestClient) -> None:
    for headers in ({}, {"Origin": "http://localhost"}, OWN, {"Host": "127.0.0.1:8765"},
                    {"Host": "[::1]:8765", "Origin": "http://[::1]:8765"}, {"Host": "LOCALHOST"},
                    {"Sec-Fetch-Site": "none"},
                    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}):
        answer = client.get("/api/status", headers=headers)
        assert answer.status_code == 200, headers
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert answer.headers["Cache-Control"] == "no-store"
    with client.websocket_connect("ws://localhost/api/events",
                                  headers={"Origin": "http://localhost"}) as socket:
        assert socket.receive_json()["type"] == "view"


def test_a_link_from_elsewhere_changes_nothing(client: TestClient, owner: dict[str, str]) -> None:
    navigating = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.post("/api/enrolment/finish", headers=owner | navigating).status_code == 403


def test_administration_needs_the_token(client: TestClient, owner: dict[str, str]) -> None:
    schema = client.get("/openapi.json").json()
    asked = [(method.upper(), path) for path, found in schema["paths"].items()
             for method, route in found.items() if route["tags"] == ["administration"]]
    assert len(asked) == 8
    for method, path in asked:
        for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer "}):
            answer = client.request(method, path, headers=headers)
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert client.request(method, path, headers=owner).status_code not in (401, 403, 404, 405)


def test_a_wrong_token_a_thousand_times(
    client: TestClient, owner: dict[str, str], service: Service, token_file: Path
) -> None:
    service.tokens = Tokens(token_file, lambda: 100.0)
    answers = [client.get("/api/people", headers={"Authorization": f"Bearer {number}"})
               for number in range(1000)]
    statuses = [answer.status_code for answer in answers]
    assert statuses == [401] * 5 + [429] * 995 and int(answers[-1].headers["Retry-After"]) > 0
    assert client.get("/api/people", headers=owner).status_code == 200
    assert "visavox_refused_tokens_total 1000.0" in client.get("/metrics").text


def test_without_a_token_nobody_administrates(service: Service) -> None:
    service.tokens._stored = None
    with client_of(service) as client:
        answer = client.get("/api/people", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 403 and "--set-token" in answer.json()["detail"]


def test_other_machines_need_the_token_and_get_no_picture(
    service: Service, owner: dict[str, str]
) -> None:
    with client_of(service, "192.168.1.7") as client:
        assert [client.get(path).status_code for path in OPEN] == [
            client.get("/").status_code, 200]
        assert client.get("/").status_code != 401
        assert [client.get(path).status_code for path in LOOKING] == [401] * 3
        assert [client.get(path, headers=owner).status_code for path in LOOKING] == [200] * 3
        assert client.get("/camera.mjpg", headers=owner | OWN).status_code == 403
        with (pytest.raises(WebSocketDenialResponse) as denied,
              client.websocket_connect("ws://localhost/api/events")):
            pass
        assert denied.value.status_code == 401
        with client.websocket_connect("ws://localhost/api/events", headers=owner) as socket:
            assert socket.receive_json()["type"] == "view"


def test_the_live_view_is_for_the_own_page(client: TestClient) -> None:
    for headers in ({}, {"Sec-Fetch-Site": "none"},
                    {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}):
        assert client.get("/camera.mjpg", headers=headers).status_code == 403


@given(st.text(max_size=40))
def test_a_host_is_a_name_or_nothing(host: str) -> None:
    if _host_name(host) in LOOPBACK_HOSTS:
        assert re.match(r"(localhost|127\.0\.0\.1|\[::1\])(:\d*)?\??#?$", host.lower())


@pytest.mark.parametrize(("host", "name"), [
    ("localhost", "localhost"), ("LOCALHOST:80", "localhost"), ("[::1]:8765", "::1"),
    ("localhost:x", None), ("localhost/x", None), ("a@localhost", None),
    ("localhost?", "localhost"),
    ("localhost#x", None), ("", None), ("[", None)])
def test_names_of_hosts(host: str, name: str | None) -> None:
    assert _host_name(host) == name


@pytest.mark.parametrize(("address", "own"), [
    ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True),
    ("localhost", True), ("0.0.0.0", False), ("::", False), ("192.168.1.7", False),
    ("::ffff:192.168.1.7", False), ("kiosk.local", False), ("", False)])
def test_which_addresses_are_this_machine(address: str, own: bool) -> None:
    assert is_loopback(address) is own


def test_two_hosts_are_refused(service: Service) -> None:
    guard = Guard(lambda *_: None, ["localhost"], DIRECT)  # type: ignore[arg-type,return-value]
    scope = {"type": "http", "scheme": "http", "path": "/", "method": "GET",
             "headers": [(b"host", b"localhost"), (b"host", b"evil.example")]}
    assert guard._refusal(DIRECT.seen(scope))
