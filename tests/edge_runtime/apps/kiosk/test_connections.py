"""What strangers can hold: places, streams, memory before the token, and the owner's time."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from starlette.requests import Request

from edge_runtime.apps.kiosk import connections
from edge_runtime.apps.kiosk.app import Address
from edge_runtime.apps.kiosk.connections import FOR_LOOPBACK, MOST, PER_HOUSEHOLD, Guests
from edge_runtime.apps.kiosk.events import MAX_CLIENTS
from edge_runtime.apps.kiosk.live_view import MAX_VIEWERS
from edge_runtime.apps.kiosk.security import MAX_UPLOAD
from edge_runtime.apps.kiosk.service import Service
from edge_runtime.apps.kiosk.tokens import Tokens
from edge_runtime.apps.kiosk.visitors import DIRECT, Proxies
from tests.edge_runtime.apps.kiosk.stand_ins import ask, served, wait_until
from tests.edge_runtime.apps.kiosk.test_security_limits import HOST, UPGRADE

UPLOAD = (b"POST /api/identify HTTP/1.1\r\n" + HOST + b"Content-Type: multipart/form-data; "
          b"boundary=b\r\nContent-Length: %d\r\n%b\r\n--b\r\nContent-Disposition: form-data; "
          b"name=\"picture\"; filename=\"x\"\r\n\r\n")


@contextmanager
def asking(
    port: int, number: int, request: bytes, addresses: Sequence[str] = ("127.0.0.1",)
) -> Iterator[list[socket.socket]]:
    """So many who ask at once, and have not read the answer yet."""
    with ExitStack() as stack:
        opened = []
        for i in range(number):
            one = stack.enter_context(socket.socket())
            one.bind((addresses[i % len(addresses)], 0))
            one.settimeout(60)
            one.connect(("127.0.0.1", port))
            opened.append(one)
        for one in opened:
            one.sendall(request)
        yield opened


def status(one: socket.socket) -> int:
    answer = b""
    while b"\r\n" not in answer and (part := one.recv(4096)):
        answer += part
    return int(answer.split()[1])


def heard(one: socket.socket, *words: bytes) -> bytes:
    """Which of the words comes first."""
    answer = b""
    while not any(word in answer for word in words) and (part := one.recv(4096)):
        answer += part
    return next(word for word in words if word in answer)


@pytest.mark.parametrize(("request_line", "most"), [
    (b"GET /camera.mjpg HTTP/1.1\r\nSec-Fetch-Site: same-origin\r\n", MAX_VIEWERS),
    (b"GET /api/events/stream HTTP/1.1\r\n", MAX_CLIENTS)], ids=["camera", "events"])
def test_streams_hold_their_limit_when_all_ask_at_once(
    service: Service, request_line: bytes, most: int
) -> None:
    with served(service) as port:
        with asking(port, 60, request_line + HOST + b"\r\n") as clients:
            assert Counter(map(status, clients)) == {200: most, 429: 60 - most}
        wait_until(lambda: service.live_view.viewers == service.hub.clients == 0)
        with asking(port, 1, request_line + HOST + b"\r\n") as [client]:
            assert status(client) == 200  # their places are free again


def test_websockets_hold_their_limit(service: Service) -> None:
    with served(service) as port, asking(port, 40, UPGRADE + b"\r\n") as clients:
        told = Counter(heard(client, b'"view"', b"too many clients") for client in clients)
    assert told == {b'"view"': MAX_CLIENTS, b"too many clients": 40 - MAX_CLIENTS}


@pytest.mark.parametrize("header", [b"", b"Authorization: Bearer wrong\r\n"])
def test_nothing_of_an_upload_is_read_before_the_token(
    service: Service, token: str, monkeypatch: pytest.MonkeyPatch, header: bytes
) -> None:
    read = []
    stream = Request.stream

    def noted(self: Request) -> object:
        read.append(self)
        return stream(self)

    monkeypatch.setattr(Request, "stream", noted)
    with served(service) as port:
        head = UPLOAD % (MAX_UPLOAD, header)
        with asking(port, 40, head + bytes(100_000)) as clients:
            assert Counter(map(status, clients)).keys() <= {401, 429}
        assert not read
        whole = UPLOAD % (300, b"Authorization: Bearer %b\r\n" % token.encode())
        with asking(port, 1, whole + bytes(300)) as [client]:
            assert status(client) == 400
        assert read


def test_who_goes_on_sending_after_the_answer_is_cut_off(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BODY_S", 0.3)
    with served(service) as port, asking(port, 1, UPLOAD % (MAX_UPLOAD, b"")) as [slow]:
        assert status(slow) == 401
        slow.settimeout(0.05)
        with pytest.raises(ConnectionError):
            for _ in range(400):
                slow.sendall(b"x")
                with pytest.raises(TimeoutError):
                    while slow.recv(4096):
                        pass
                    raise ConnectionResetError


def test_wrong_tokens_at_once_never_keep_the_owner_out(
    service: Service, token: str, token_file: Path
) -> None:
    """The owner's first try since the kiosk was started, from the address of one of them."""
    service.tokens = Tokens(token_file, lambda: 100.0)
    addresses = [f"127.0.0.{number}" for number in range(1, 21)]
    people = b"GET /api/people HTTP/1.1\r\n" + HOST + b"Authorization: Bearer %b\r\n\r\n"
    with served(service) as port, asking(port, 200, people % b"wrong", addresses) as clients:
        with asking(port, 1, people % token.encode()) as [owner]:
            assert status(owner) == 200
        looked_at = Counter(client.getsockname()[0] for client in clients if status(client) == 401)
        assert set(looked_at.values()) == {5} and len(looked_at) == 20


def test_who_never_reads_is_dropped_and_nobody_waits_for_them(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "WRITE_S", 0.5)
    greedy = b"GET /openapi.json HTTP/1.1\r\n" + HOST + b"\r\n"
    with served(service) as port, ExitStack() as stack:
        slow = []
        for _ in range(110):
            one = stack.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", port))
            one.sendall(greedy * 15)
            slow.append(one)
            if len(slow) in (1, 50, 110):
                assert ask(port) == 200
        for one in slow:
            one.settimeout(60)
            with pytest.raises(ConnectionError):  # cut off in the middle
                wait_until(lambda one=one: one.send(b"x") and None, 60)
        assert ask(port) == 200


def test_silent_connections_make_room(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    with served(service) as port, asking(port, MOST + 150, b"") as silent:
        assert ask(port) == 200
        assert status(ask_over(silent[-1])) == 200
        assert silent[0].recv(1) == b""
    assert not caplog.records  # also of those who are sent away before HTTP begins


def ask_over(one: socket.socket) -> socket.socket:
    one.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
    return one


def test_who_never_begins_tls_is_sent_away(
    service: Service, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEADERS_S", 0.5)
    file, key = certificate
    with served(service, Address(port=0, tls_cert=file, tls_key=key)) as port:
        with socket.create_connection(("127.0.0.1", port), 20) as silent:
            assert silent.recv(1) == b""
        monkeypatch.setattr(connections, "HEADERS_S", 60.0)
        trusted = ssl.create_default_context(cafile=file)
        with (socket.create_connection(("127.0.0.1", port), 20) as plain,
              trusted.wrap_socket(plain, server_hostname="localhost") as secure):
            assert status(ask_over(secure)) == 200


@pytest.mark.parametrize(("request_line", "refused"), [
    (b"GET /healthz HTTP/1.1\r\n" + HOST, 431), (UPGRADE, 400)], ids=["http", "websocket"])
def test_many_headers_are_refused(service: Service, request_line: bytes, refused: int) -> None:
    many = b"".join(b"X-%d: y\r\n" % number for number in range(150))
    with served(service) as port, asking(port, 1, request_line + many + b"\r\n") as [client]:
        assert status(client) == refused


def test_fragments_without_an_end_are_cut_off(service: Service) -> None:
    with served(service) as port, asking(port, 1, UPGRADE + b"\r\n") as [client]:
        assert status(client) == 101
        client.sendall(b"\x02\x80\x00\x00\x00\x00" + b"\x00\x80\x00\x00\x00\x00" * 1000)
        with pytest.raises(ConnectionError):
            while client.recv(65_536):
                pass
            raise ConnectionResetError
    assert threading.active_count() < 100


class Crowd:
    """Connections of any address, without a network."""

    def __init__(self, stack: ExitStack, proxies: Proxies = DIRECT) -> None:
        self._stack, self.guests, self.open = stack, Guests(proxies), dict[str, socket.socket]()

    def comes(self, name: str, address: str) -> bool:
        here, there = socket.socketpair()
        self._stack.enter_context(there)
        self.open[name] = self._stack.enter_context(here)
        return self.guests.let_in(here, address)

    def all_ask(self) -> None:
        for guest in self.guests._by_file.values():
            guest.now("busy")

    def there(self, name: str) -> bool:
        return not self.guests._by_file[self.open[name].fileno()].ended


def within_a_loop(work: Callable[[ExitStack], None]) -> None:
    async def run() -> None:
        with ExitStack() as stack:
            work(stack)

    asyncio.run(run())


def test_another_machine_has_so_many_places_and_leaves_those_of_others() -> None:
    def work(stack: ExitStack) -> None:
        crowd = Crowd(stack)
        assert all(crowd.comes(f"a{i}", "192.168.1.5") for i in range(PER_HOUSEHOLD))
        assert crowd.comes("b", "192.168.1.6") and crowd.comes("own", "127.0.0.1")
        assert crowd.comes("one more", "192.168.1.5")  # in the place of their own oldest
        assert [crowd.there(name) for name in ("a0", "a1", "b", "own", "one more")] == [
            False, True, True, True, True]
        crowd.all_ask()
        assert not crowd.comes("too many", "192.168.1.5")

    within_a_loop(work)


def test_other_machines_never_take_what_is_kept_for_this_one() -> None:
    def work(stack: ExitStack) -> None:
        crowd = Crowd(stack)
        for i in range(MOST):
            crowd.comes(f"far {i}", f"10.0.{i % 100}.1")
            crowd.all_ask()
        held = len(crowd.guests._by_file)
        assert held == MOST - FOR_LOOPBACK
        assert all(crowd.comes(f"own {i}", "127.0.0.1") for i in range(FOR_LOOPBACK))

    within_a_loop(work)


def test_a_named_proxy_has_many_visitors() -> None:
    def work(stack: ExitStack) -> None:
        crowd = Crowd(stack, Proxies.of(["10.0.0.1"], ""))
        for i in range(PER_HOUSEHOLD + 10):
            assert crowd.comes(f"visitor {i}", "10.0.0.1")
            crowd.all_ask()

    within_a_loop(work)
