"""The documented way to put a kiosk behind nginx, with a real nginx that ends TLS."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from edge_runtime.apps.kiosk.app import Address
from edge_runtime.apps.kiosk.service import Service
from edge_runtime.apps.kiosk.visitors import Proxies
from tests.edge_runtime.apps.kiosk.stand_ins import served, wait_until

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "proxy.md"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="there is no nginx; apt install nginx-light")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def configured(folder: Path, port: int, kiosk: int, certificate: tuple[Path, Path]) -> Path:
    """The page's server, with the addresses and files of the test."""
    [server] = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for shown, here in (("listen 443", f"listen 127.0.0.1:{port}"), ("kiosk.lan", "localhost"),
                        ("/etc/ssl/kiosk.pem", str(certificate[0])),
                        ("/etc/ssl/kiosk.key", str(certificate[1])), ("8765", str(kiosk))):
        assert shown in server
        server = server.replace(shown, here)
    paths = "\n".join(f"{name}_temp_path {folder}/{name};" for name in (
        "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    file = folder / "nginx.conf"
    file.write_text(f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;"
                    f"\nevents {{}}\nhttp {{ access_log off;\n{paths}\n{server}}}\n")
    return file


@pytest.fixture(params=[True, False], ids=["named", "not named"])
def named(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def behind(
    named: bool, service: Service, tmp_path: Path, certificate: tuple[Path, Path]
) -> Iterator[int]:
    """The port of an nginx before a kiosk that knows it, or does not."""
    proxies = Proxies.of(["127.0.0.1"] if named else [], "/visavox")
    port = free_port()
    with served(service, Address(port=0, proxies=proxies)) as kiosk:
        file = configured(tmp_path, port, kiosk, certificate)
        assert NGINX
        with subprocess.Popen([NGINX, "-p", tmp_path, "-c", file], stderr=subprocess.DEVNULL,
                              env=os.environ) as nginx:
            try:
                wait_until(lambda: nginx.poll() is not None or answers(port))
                assert nginx.poll() is None, (tmp_path / "errors").read_text()
                yield port
            finally:
                nginx.terminate()


def answers(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def test_the_documented_nginx(
    behind: int, named: bool, service: Service, owner: dict[str, str],
    certificate: tuple[Path, Path],
) -> None:
    trusted = ssl.create_default_context(cafile=certificate[0])
    origin = f"https://localhost:{behind}"
    page = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    seen = 200 if named else 403  # of a page whose Origin is https
    with httpx.Client(base_url=f"{origin}/visavox/", verify=trusted, timeout=60) as client:
        assert 'src="page/main.js"' in client.get("").text
        assert client.get("page/main.js").status_code == 200
        answer = client.get("api/people", headers=owner | page)
        assert answer.status_code == seen
        assert named or "--trusted-proxy" in answer.json()["detail"]
        upload = client.post("api/identify", headers=page, files={"picture": bytes(3_000_000)})
        assert upload.status_code == (401 if named else 403)
        # nginx says that the visitor is on this machine, and is believed if it is named. What a
        # visitor writes of themselves is not passed on.
        local = client.get("api/status", headers={"X-Forwarded-For": "192.168.1.5"})
        assert local.status_code == (200 if named else 401)
        with client.stream("GET", "camera.mjpg", headers={"Sec-Fetch-Site": "same-origin"}) as view:
            assert view.status_code == seen
            assert not named or b"--picture" in next(view.iter_bytes())
        with client.stream("GET", "api/events/stream", headers=owner) as stream:
            assert next(stream.iter_lines()).startswith("data: {")
    if named:
        with connect(f"wss://localhost:{behind}/visavox/api/events", ssl=trusted,
                     origin=origin) as listening:  # type: ignore[arg-type]
            assert '"type":"view"' in listening.recv(60)
