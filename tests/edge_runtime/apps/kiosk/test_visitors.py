"""Who is here: this machine, another one, and whoever comes by a proxy, believed or not."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.testclient import TestClient

from edge_runtime.apps.kiosk.app import make_app
from edge_runtime.apps.kiosk.security import LOOPBACK_HOSTS
from edge_runtime.apps.kiosk.service import Service
from edge_runtime.apps.kiosk.visitors import DIRECT, Proxies, Visitor, as_address, household
from edge_runtime.errors import UsageError

HOSTS = (*LOOPBACK_HOSTS, "kiosk.lan")
OWN = {"Sec-Fetch-Site": "same-origin"}
FAR = {"X-Forwarded-For": "192.168.1.50"}
NAMED = Proxies.of(["127.0.0.1", "10.0.0.0/8"], "")


def kiosk(service: Service, proxies: Proxies, peer: str = "127.0.0.1") -> TestClient:
    return TestClient(make_app(service, HOSTS, proxies), "http://kiosk.lan", client=(peer, 50_000))


def seen(proxies: Proxies, headers: Iterable[tuple[str, str]], peer: str = "127.0.0.1",
         path: str = "/") -> tuple[Visitor, dict[str, Any]]:
    scope = {"type": "http", "scheme": "http", "path": path, "client": (peer, 1), "headers": [
        (b"host", b"kiosk.lan"), *((n.lower().encode(), v.encode()) for n, v in headers)]}
    found = dict(proxies.seen(scope))
    return found["visitor"], found


@pytest.mark.parametrize("header", [
    FAR, {"Forwarded": "for=192.168.1.50"}, {"Via": "1.1 proxy"}, {"X-Real-IP": "192.168.1.50"},
    {"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}, {"X-Forwarded-Proto": "http"},
    {"X-Forwarded-Host": "kiosk.lan"}], ids=str)
def test_whoever_comes_by_a_proxy_that_nobody_named_is_not_here(
    service: Service, owner: dict[str, str], header: dict[str, str]
) -> None:
    with kiosk(service, DIRECT) as client:
        for path in ("/api/status", "/metrics", "/docs", "/api/events/stream"):
            assert client.get(path, headers=header).status_code == 401
        assert client.get("/api/status", headers=header | owner).status_code == 200
        assert client.get("/camera.mjpg", headers=header | owner | OWN).status_code == 403
        assert client.get("/healthz", headers=header).status_code == 200
        assert client.get("/api/status").status_code == 200  # the screen of the kiosk itself


def test_a_named_proxy_says_who_is_here(service: Service, owner: dict[str, str]) -> None:
    with kiosk(service, NAMED) as client:
        assert client.get("/api/status", headers=FAR).status_code == 401
        assert client.get("/api/status", headers=FAR | owner).status_code == 200
        assert client.get("/camera.mjpg", headers=FAR | OWN | owner).status_code == 403
        assert client.get("/api/status", headers={"X-Forwarded-For": "127.0.0.1"}
                          ).status_code == 200
    other = kiosk(service, NAMED, "192.168.1.9")  # which is no proxy
    assert other.get("/api/status", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 401


@pytest.mark.parametrize(("headers", "address", "local"), [
    ([("X-Forwarded-For", "192.168.1.50")], "192.168.1.50", False),
    ([("X-Forwarded-For", "127.0.0.1, 192.168.1.50")], "192.168.1.50", False),  # one forged
    ([("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-For", "192.168.1.5")], "192.168.1.5", False),
    ([("X-Forwarded-For", "192.168.1.50, 10.1.2.3")], "192.168.1.50", False),  # two proxies
    ([("X-Forwarded-For", "127.0.0.1, 10.1.2.3")], "127.0.0.1", False),
    ([("X-Forwarded-For", "127.0.0.1")], "127.0.0.1", True),
    ([("X-Forwarded-For", "[::1]:4711")], "::1", True),
    ([("X-Forwarded-For", "192.168.1.50:4711")], "192.168.1.50", False),
    ([("X-Forwarded-For", "unknown")], "unknown", False),
    ([("X-Forwarded-For", "")], "unknown", False),
    ([("X-Forwarded-Proto", "https")], "unknown", False),
    ([("X-Forwarded-For", "127.0.0.1"), ("Forwarded", "for=192.168.1.50")], "127.0.0.1", False),
    ([("X-Forwarded-For", "192.168.1.50"), ("Forwarded", "for=127.0.0.1")], "192.168.1.50", False),
    ([("Forwarded", 'for="[2001:db8::1]:80";proto=https, for=10.0.0.1')], "2001:db8::1", False),
    ([("Forwarded", 'for=127.0.0.1, for="'), ("Forwarded", "for=192.168.1.50")],
     "192.168.1.50", False),
    ([("Forwarded", "for=_hidden")], "unknown", False),
    ([("Forwarded", "For=127.0.0.1;By=x")], "127.0.0.1", True)], ids=str)
def test_of_whom_a_named_proxy_speaks(
    headers: list[tuple[str, str]], address: str, local: bool
) -> None:
    visitor, _ = seen(NAMED, headers)
    assert (visitor.address, visitor.local) == (address, local)


def test_wrong_tokens_behind_a_proxy_are_counted_for_each_visitor(
    service: Service, owner: dict[str, str]
) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    with kiosk(service, NAMED) as client:
        statuses = {visitor: [client.get("/api/people", headers=wrong | {"X-Forwarded-For": visitor}
                                         ).status_code for _ in range(7)]
                    for visitor in ("192.168.1.50", "192.168.1.51")}
        assert all(found[:5] == [401] * 5 for found in statuses.values())
        assert client.get("/api/people", headers=owner | FAR).status_code == 200


def test_the_page_behind_tls_is_the_kiosks_own(service: Service, owner: dict[str, str]) -> None:
    tls = owner | {"Origin": "https://kiosk.lan", "X-Forwarded-Proto": "https"} | FAR
    with kiosk(service, NAMED) as client:
        answer = client.get("/api/people", headers=tls)
        assert answer.status_code == 200 and answer.headers["Strict-Transport-Security"]
        assert client.get("/api/people", headers=tls | {"Host": "kiosk.lan:443"}).status_code == 200
        with client.websocket_connect("ws://kiosk.lan/api/events", headers=tls) as socket:
            assert socket.receive_json()["type"] == "view"
        for foreign in ({"Origin": "https://evil.example"}, {"X-Forwarded-Host": "evil.example"},
                        {"Host": "evil.example", "X-Forwarded-Host": "kiosk.lan"},
                        {"Forwarded": "host=evil.example"}, {"X-Forwarded-Proto": "http"}):
            assert client.get("/api/people", headers=tls | foreign).status_code == 403, foreign


def test_a_proxy_that_is_in_the_way_is_said(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with kiosk(service, DIRECT) as client, caplog.at_level(logging.WARNING, "visavox.kiosk"):
        answers = [client.get("/api/status", headers={
            "Origin": "https://kiosk.lan", "X-Forwarded-Proto": "https"}) for _ in range(3)]
        client.get("/api/status", headers={"Origin": "https://evil.example"})
    assert [answer.status_code for answer in answers] == [403] * 3
    assert "--trusted-proxy" in answers[0].json()["detail"]
    assert [line.getMessage().count("--trusted-proxy") for line in caplog.records] == [1]


@pytest.mark.parametrize("path", ["/visavox/healthz", "/healthz"])  # kept or taken off by the proxy
@pytest.mark.parametrize("headers", [{}, FAR])
def test_a_prefix(service: Service, path: str, headers: dict[str, str]) -> None:
    with kiosk(service, Proxies.of(["127.0.0.1"], "/visavox/")) as client:
        assert client.get(path, headers=headers).json() == {"status": "ok"}


def test_under_a_prefix_all_is_as_without(service: Service, owner: dict[str, str]) -> None:
    with kiosk(service, Proxies.of([], "/visavox")) as client:
        page = client.get("/visavox/")
        assert page.status_code == 200 and 'src="page/main.js"' in page.text
        assert client.get("/visavox", follow_redirects=False
                          ).headers["Location"] == "http://kiosk.lan/visavox/"
        assert client.get("/visavox/page/main.js").headers["Cache-Control"] == "no-cache"
        assert client.get("/visavox/api/status").headers["Cache-Control"] == "no-store"
        assert client.get("/visavox/camera.mjpg").status_code == 403
        assert client.post("/visavox/api/identify", headers=owner,
                           content=bytes(100_000)).status_code != 413
        assert client.post("/visavox/api/enrolment", headers=owner,
                           content=bytes(100_000)).status_code == 413
        with client.websocket_connect("ws://kiosk.lan/visavox/api/events") as socket:
            assert socket.receive_json()["type"] == "view"
        assert client.get("/visavoxx/healthz").status_code == 404


def test_a_named_proxy_may_say_the_prefix() -> None:
    told = [("X-Forwarded-Prefix", "/home/kiosk/"), ("X-Forwarded-For", "192.168.1.5")]
    assert seen(NAMED, told)[1]["root_path"] == "/home/kiosk"
    assert seen(NAMED, told, "192.168.1.9")[1]["root_path"] == ""
    assert seen(NAMED, [("X-Forwarded-Prefix", "//evil.example")])[1]["root_path"] == ""


@pytest.mark.parametrize(("addresses", "prefix"), [
    (["proxy.lan"], ""), ([""], ""), (["10.0.0.0/33"], ""), ([], "visavox"), ([], "/a b"),
    ([], "//x"), ([], "/x/../y?")])
def test_what_is_no_proxy_and_no_prefix(addresses: list[str], prefix: str) -> None:
    with pytest.raises(UsageError, match=r"expected .* found"):
        Proxies.of(addresses, prefix)


def test_addresses() -> None:
    assert str(as_address("::ffff:10.0.0.1")) == "10.0.0.1" and as_address("x") is None
    assert str(as_address("fe80::1%eth0")) == "fe80::1"
    assert household("10.0.0.1") == "10.0.0.1" and household("?") == "?"
    assert household("2001:db8::1") == household("2001:db8::2") != household("2001:db8:0:1::1")
