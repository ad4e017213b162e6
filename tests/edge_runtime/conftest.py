"""Files of somebody, a bundle that knows them, a microphone, and a gallery of a real bundle's
networks, filled with embeddings drawn by a seed."""

from __future__ import annotations

import ctypes.util
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from edge_runtime.bundle.manifest import Manifest, read_manifest, write_manifest
from edge_runtime.dataset.people import index_people, test_pairs
from edge_runtime.gallery.samples import NewSample
from edge_runtime.gallery.store import Gallery
from tests.edge_runtime.capture.stand_ins import SoundServer
from tests.edge_runtime.gallery_device import Device

Change = Callable[[dict[str, Any]], Path]


@pytest.fixture(scope="session")
def pair(small_people: Path) -> tuple[Path, Path]:
    """A face and a clip of synthetic_001 that training has not seen."""
    face, clip = test_pairs(index_people(small_people))[0]
    return small_people / face.path, small_people / clip.path


@pytest.fixture
def bundle(changed_bundle: Change) -> Path:
    return changed_bundle({})


@pytest.fixture
def sound_server(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SoundServer]:
    """A PulseAudio that this process's PortAudio and arecord use."""
    for program in ("pulseaudio", "pactl", "pacat", "arecord"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (apt install pulseaudio alsa-utils)")
    if ctypes.util.find_library("portaudio") is None:
        pytest.skip("PortAudio is not installed (apt install libportaudio2)")
    if not list(Path("/usr/lib").glob("**/alsa-lib/libasound_module_pcm_pulse.so")):
        pytest.skip("ALSA has no PulseAudio plugin (apt install libasound2-plugins)")
    server = SoundServer(tmp_path_factory.mktemp("sound"))
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    server.start()
    yield server
    server.stop()


Embeddings = npt.NDArray[np.float32]
DIM = 320


def unit(rows: npt.NDArray[np.float64]) -> Embeddings:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def draw_embeddings(seed: int, count: int, spread: float = 0.4) -> Embeddings:
    """float32 [count, DIM] around a point of their own: two of them have a cosine near
    1 / (1 + spread**2), those of two seeds one near 0."""
    rng = np.random.default_rng(seed)
    centre = unit(rng.standard_normal(DIM))
    return unit(centre + spread * unit(rng.standard_normal((count, DIM))).astype(np.float64))


def draw_samples(seed: int, faces: int = 3, clips: int = 2) -> list[NewSample]:
    drawn = {"face": draw_embeddings(seed, faces), "voice": draw_embeddings(10_000 + seed, clips)}
    return [*(NewSample(f"face{i}.png", "face", e) for i, e in enumerate(drawn["face"])),
            *(NewSample(f"clip{i}.wav", "voice", e) for i, e in enumerate(drawn["voice"]))]


@pytest.fixture(scope="session")
def samples_of() -> Callable[..., list[NewSample]]:
    """samples_of(seed, faces=3, clips=2): of the person whom the seed stands for."""
    return draw_samples


@pytest.fixture(scope="session")
def embeddings_of() -> Callable[..., Embeddings]:
    """embeddings_of(seed, count, spread=0.4): float32 [count, 320]."""
    return draw_embeddings


@pytest.fixture(scope="session")
def manifest(small_bundles: dict[str, Path]) -> Manifest:
    """As if its people were real ones, by whose network anybody may be enrolled."""
    found = read_manifest(small_bundles["float32"])
    found = _as_of_real_people(found)
    assert {file.embedding_dim for file in found.files.values()} == {DIM}
    return found


def _as_of_real_people(manifest: Manifest) -> Manifest:
    assert manifest.accuracy and manifest.accuracy.synthetic
    return msgspec.structs.replace(
        manifest, accuracy=msgspec.structs.replace(manifest.accuracy, synthetic=False))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the gallery is, in a folder of its own; the device key is elsewhere."""
    return tmp_path / "folder" / "gallery.db"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "device.key"


@pytest.fixture
def gallery(path: Path, manifest: Manifest, key_file: Path) -> Iterator[Gallery]:
    """An empty gallery, open for writing."""
    with Gallery.open(path, manifest, key_file, mode="create") as opened:
        yield opened


@pytest.fixture
def device(changed_bundle: Change, small_people: Path, tmp_path: Path) -> Device:
    (tmp_path / "device").mkdir()
    bundle = changed_bundle({})
    write_manifest(bundle, _as_of_real_people(read_manifest(bundle)))
    return Device(bundle, small_people, tmp_path / "device")


@pytest.fixture
def anna(device: Device) -> Device:
    """A device on which Anna is enrolled."""
    assert device.run(*device.enroll("Anna", 1)) == "Anna is enrolled from 6 faces and 4 clips\n"
    return device


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let tests mount a small file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)
