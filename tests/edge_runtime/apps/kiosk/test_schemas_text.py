"""What is no text, and no JSON, gets 400 wherever it is sent."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from edge_runtime.apps.kiosk.service import Service
from tests.edge_runtime.apps.kiosk.stand_ins import client_of

ROUTES = {"/api/enrolment": '{"name": %s, "consent": "x"}', "/api/enrolment/face": '{"angle": %s}',
          "/api/enrolment/voice": '{"sentence": %s}',
          "/api/enrolment/finish": '{"allow_duplicate": %s}'}
NO_JSON = ["NaN", "Infinity", "-Infinity", "1e999", '"\\ud800"', '"a\\udc00b"', '"\\ud800\\u0041"',
           '"\x1b"', "[" * 20_000, "nul", ""]


@pytest.mark.parametrize("content", [
    *(text.encode() for text in NO_JSON), b'"\xff"', b'"\xed\xa0\x80"'], ids=range(13))
@pytest.mark.parametrize("route", ROUTES)
def test_what_is_no_json(
    client: TestClient, owner: dict[str, str], route: str, content: bytes
) -> None:
    answer = client.post(route, headers=owner | {"Content-Type": "application/json"},
                         content=ROUTES[route].encode().replace(b"%s", content))
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"].startswith("expected JSON")


@pytest.mark.parametrize("path", [
    "/api/people/%ED%A0%80", "/api/people/%FF", "/api/people/a%00", "/api/people/%1B%5B2J",
    "/api/people/%C2%9B", "/page/%00", "/api/status?x=%FF", "/api/status?x=%1B", "/%7F"])
def test_addresses_that_are_no_text(client: TestClient, owner: dict[str, str], path: str) -> None:
    for method in ("GET", "DELETE"):
        answer = client.request(method, path, headers=owner)
        assert answer.status_code == 400 and "expected an address" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\nb", "a\x00", "a\x7f", "a\x9b", "a\u202eb"])
def test_names_without_control_characters(
    enrolling_service: Service, owner: dict[str, str], name: str
) -> None:
    with client_of(enrolling_service) as client:
        answer = client.post("/api/enrolment", headers=owner, json={"name": name, "consent": "x"})
    assert answer.status_code == 409 and "control characters" in answer.json()["detail"]
    assert answer.text.isprintable()


@pytest.mark.parametrize("body", [
    b"--b\r\nContent-Disposition: form-data; name=\"pic\xff\ture\"\r\n\r\nx\r\n--b--\r\n",
    b"--b\r\nContent-Disposition: form-data; name=\"face\"; filename=\"\xed\xa0\x80\"\r\n\r\nx\r\n"
    b"--b--\r\n",
    b"--b\r\nContent-Disposition: form-data; name=\"_charset_\"\r\n\r\nutf-7\r\n--b\r\n"
    b"Content-Disposition: form-data; name=\"picture\"\r\n\r\n\xff\xfe\r\n--b--\r\n",
    b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", b"--b", b"", b"\x00" * 100])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=b", "multipart/form-data",
                                  "multipart/form-data; boundary=b; charset=utf-16",
                                  "application/x-www-form-urlencoded", "text/plain", ""])
def test_forms_that_are_no_text(
    client: TestClient, owner: dict[str, str], kind: str, body: bytes
) -> None:
    answer = client.post("/api/identify", headers=owner | {"Content-Type": kind}, content=body)
    assert answer.status_code in (400, 422), answer.text
    assert isinstance(answer.json()["detail"], str)


def test_forms_of_many_parts(client: TestClient, owner: dict[str, str]) -> None:
    for part in ((None, "x"), ("file", b"x")):
        answer = client.post("/api/identify", headers=owner,
                             files=[(f"part{number}", part) for number in range(5)])
        assert answer.status_code == 400 and "Too many" in answer.json()["detail"]


def test_a_body_of_another_shape_is_told_in_one_sentence(
    client: TestClient, owner: dict[str, str]
) -> None:
    for options in ({"json": {"angle": "behind"}}, {"content": b"\xff\xfe"}, {"json": {}}):
        answer = client.post("/api/enrolment/face", headers=owner, **options)  # type: ignore[arg-type]
        assert answer.status_code == 422 and answer.json()["detail"].startswith("body")
