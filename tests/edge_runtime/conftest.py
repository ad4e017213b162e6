"""Files of somebody, a bundle that knows them, and a microphone."""

from __future__ import annotations

import ctypes.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.people import index_people, test_pairs
from tests.edge_runtime.capture.stand_ins import SoundServer

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
