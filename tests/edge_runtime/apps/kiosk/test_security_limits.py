"""Clients that send too much, too slowly, or nonsense, to a real server: the kiosk goes on."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from edge_runtime.apps.kiosk import connections, security
from edge_runtime.apps.kiosk.service import Service
from tests.edge_runtime.apps.kiosk.stand_ins import ask, exchange, served, wait_until

HOST = b"Host: 127.0.0.1\r\n"


@pytest.fixture
def port(service: Service) -> Iterator[int]:
    with served(service) as found:
        yield found
        assert ask(found) == 200


def test_a_gigabyte_is_refused_before_it_is_sent(port: int) -> None:
    head = (b"POST /api/identify HTTP/1.1\r\n" + HOST
            + b"Content-Length: 1073741824\r\nContent-Type: application/octet-stream\r\n\r\n")
    answer = exchange(port, head)
    assert answer.startswith(b"HTTP/1.1 413 ") and b"connection: close" in answer.lower()


def test_a_gigabyte_of_unknown_length_is_cut_off(port: int, token: str) -> None:
    """Chunk after chunk, until the server closes the connection."""
    sent = 0
    part = os.urandom(1 << 20)
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(b"POST /api/identify HTTP/1.1\r\n" + HOST
                           + b"Authorization: Bearer " + token.encode() + b"\r\n"
                           b"Content-Type: multipart/form-data; boundary=x\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n")
        first = b'--x\r\nContent-Disposition: form-data; name="face"; filename="f"\r\n\r\n'
        connection.sendall(b"%x\r\n%s\r\n" % (len(first), first))
        with pytest.raises(ConnectionError):
            while sent < 1 << 30:
                connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
                sent += len(part)
    assert sent < 4 * security.MAX_UPLOAD


def test_bodies_elsewhere_are_small(port: int) -> None:
    for path in ("/api/enrolment", "/api/status", "/nowhere", "/"):
        assert ask(port, path, b"x" * (security.MAX_BODY + 1)) == 413, path


def test_a_body_that_takes_too_long(
    port: int, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "BODY_S", 0.5)
    head = (b"POST /api/enrolment HTTP/1.1\r\n" + HOST + b"Authorization: Bearer " + token.encode()
            + b"\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
    start_s = time.monotonic()
    answer = exchange(port, head)
    assert answer.startswith(b"HTTP/1.1 408 ") and time.monotonic() - start_s < 5


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\n" + HOST, b"G"])
def test_a_slow_loris_is_cut_off(
    service: Service, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    """A header now and then, for ever; meanwhile others are served."""
    monkeypatch.setattr(connections, "HEADERS_S", 1.0)
    with served(service) as port, socket.create_connection(("127.0.0.1", port), 10) as slow:
        start_s = time.monotonic()
        slow.sendall(begun)
        slow.settimeout(0.2)
        while True:
            try:
                slow.sendall(b"X: y\r\n" if begun else b"")
                if slow.recv(100) == b"":
                    break
            except TimeoutError:
                pass
            except ConnectionError:
                break
            assert time.monotonic() - start_s < 5
            assert ask(port) == 200
        assert time.monotonic() - start_s >= 0.9


def test_a_second_request_may_not_be_slow_either(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEADERS_S", 1.0)
    whole = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    with served(service) as port, socket.create_connection(("127.0.0.1", port), 10) as slow:
        for _ in range(2):
            slow.sendall(whole)
            answer = b""
            while not answer.endswith(b'{"status":"ok"}'):
                answer += slow.recv(4096)
        slow.sendall(b"GET /healthz HTTP/1.1\r\n")
        slow.settimeout(4)
        try:
            rest = slow.recv(4096)
        except ConnectionError:
            rest = b""
        assert rest == b""


def test_an_answer_that_takes_long_is_not_cut_off(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEADERS_S", 0.3)
    with served(service) as port, httpx.stream(
            "GET", f"http://127.0.0.1:{port}/api/events/stream", timeout=10) as stream:
        start_s = time.monotonic()
        for _ in stream.iter_lines():
            if time.monotonic() - start_s > 1:
                break


UPGRADE = (b"GET /api/events HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
FRAMES = {
    "reserved bits and opcode": b"\xff\xff",
    "not masked": b"\x81\x05hello",
    "a control frame that is too long": b"\x89\xfe\x01\x00" + bytes(260),
    "a petabyte": b"\x82\xff\x00\x04\x00\x00\x00\x00\x00\x00" + bytes(100),
    "cut off": b"\x81\xfe\x00",
    "no text": b"\x81\x82\x00\x00\x00\x00\xff\xff",
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_broken_websocket_frames(port: int, service: Service, frame: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as broken:
        broken.sendall(UPGRADE + b"\r\n")
        assert broken.recv(4096).startswith(b"HTTP/1.1 101 ")
        wait_until(lambda: service.hub.clients == 1)
        broken.sendall(frame)
        if frame == FRAMES["cut off"]:
            broken.shutdown(socket.SHUT_WR)
        if frame != FRAMES["no text"]:  # which nobody looks at
            broken.settimeout(10)
            while broken.recv(65_536):
                pass
    wait_until(lambda: service.hub.clients == 0)


def test_foreign_pages_get_no_websocket(port: int) -> None:
    answer = exchange(port, UPGRADE + b"Origin: http://evil.example\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("request_bytes", [
    b"nonsense\r\n\r\n", bytes(100) + b"\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
    b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], ids=range(7))
def test_nonsense_is_refused(port: int, request_bytes: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), 12) as connection:
        connection.sendall(request_bytes)
        connection.shutdown(socket.SHUT_WR)
        try:
            answer = connection.recv(4096)
        except ConnectionError:
            answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def test_threads_do_not_pile_up(port: int) -> None:
    before = threading.active_count()
    for _ in range(100):
        assert ask(port, "/api/status") == 200
    assert threading.active_count() - before < 50
