"""A kiosk whose camera sees drawn people and whose microphone hears synthesised speech."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest
from starlette.testclient import TestClient

from edge_runtime.apps.kiosk.events import EventHub
from edge_runtime.apps.kiosk.metrics import Metrics
from edge_runtime.apps.kiosk.service import Service
from edge_runtime.apps.kiosk.station import Station
from edge_runtime.apps.kiosk.tokens import Tokens, set_token
from edge_runtime.bundle.manifest import TrainedThresholds
from edge_runtime.decision.identify import Identifier
from edge_runtime.gallery.store import Gallery
from edge_runtime.signals.detection import HaarDetector
from tests.edge_runtime.apps.kiosk.stand_ins import Scene, client_of

ALL_NAMED = TrainedThresholds(face=0, voice=0, ensemble=0, false_accept_rate=0.01,
                       false_accept_bound=0.02)

@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture(scope="session")
def kiosk_identifier(small_bundles: dict[str, Path]) -> Identifier:
    """Whoever is there is named as the one most alike."""
    identifier = Identifier.load(small_bundles["float32"], allow_uncertified=True)
    identifier.manifest = msgspec.structs.replace(identifier.manifest, thresholds=ALL_NAMED)
    return identifier


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    return tmp_path / "token.json"


@pytest.fixture
def token(token_file: Path) -> str:
    return set_token(token_file)


@pytest.fixture
def gallery(tmp_path: Path, kiosk_identifier: Identifier) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "gallery" / "gallery.db", kiosk_identifier.manifest,
                      tmp_path / "device.key", mode="create", force=True) as opened:
        yield opened


@pytest.fixture
def service(kiosk_identifier: Identifier, scene: Scene, token: str, token_file: Path) -> Service:
    """A kiosk that names people of the training."""
    station = Station(kiosk_identifier, HaarDetector(), None, scene.sources)
    return Service(station, Tokens(token_file), "bundle")


@pytest.fixture
def enrolling_service(
    kiosk_identifier: Identifier, scene: Scene, gallery: Gallery, token: str, token_file: Path
) -> Service:
    """A kiosk with a gallery."""
    station = Station(kiosk_identifier, HaarDetector(), gallery, scene.sources)
    return Service(station, Tokens(token_file), "bundle")


@pytest.fixture
def metrics() -> Metrics:
    """Of a kiosk that has no networks: most of it is not there to be measured."""
    station = SimpleNamespace(alive=True, status=lambda name: None)
    return Metrics(cast(Station, station), EventHub())


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with client_of(service) as found:
        yield found


@pytest.fixture
def owner(token: str) -> dict[str, str]:
    """The header of who has the token."""
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    key, file = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", str(key), "-out", str(file)], check=True, capture_output=True)
    return file, key
