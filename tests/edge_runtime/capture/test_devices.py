"""`visavox devices`: what it lists, and what it says where there is nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from edge_runtime.apps.cli import main
from edge_runtime.capture.devices import Device, Devices, v4l2_cameras

RUN = "import sys; from edge_runtime.apps.cli import main; sys.exit(main())"


def node(sysfs: Path, number: int, name: str, index: int) -> None:
    folder = sysfs / f"video{number}"
    folder.mkdir(parents=True)
    (folder / "name").write_text(name + "\n")
    (folder / "index").write_text(f"{index}\n")


def test_cameras_as_the_kernel_lists_them(tmp_path: Path) -> None:
    """A Pi 4 with a webcam that has a metadata node, and one with a high number."""
    node(tmp_path, 14, "bcm2835-isp", 0)
    node(tmp_path, 19, "rpivid", 0)
    node(tmp_path, 8, "unicam-image", 0)
    node(tmp_path, 0, "HD Pro Webcam C920", 0)
    node(tmp_path, 1, "HD Pro Webcam C920", 1)
    node(tmp_path, 10, "USB Camera", 0)
    problems: list[str] = []
    assert list(v4l2_cameras(problems, tmp_path)) == [
        Device("0", "HD Pro Webcam C920", "V4L2", "/dev/video0"),
        Device("10", "USB Camera", "V4L2", "/dev/video10")]
    assert problems == []


def test_a_kernel_without_cameras(tmp_path: Path) -> None:
    problems: list[str] = []
    assert list(v4l2_cameras(problems, tmp_path / "nowhere")) == []
    assert len(problems) == 1 and "the kernel has seen no camera" in problems[0]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[[Devices], None]:
    return lambda devices: monkeypatch.setattr(
        "edge_runtime.apps.cli.inspect.list_devices", lambda: devices)


def test_nothing_found(
    found: Callable[[Devices], None], capsys: pytest.CaptureFixture[str]
) -> None:
    found(Devices((), (), ("microphones: why",)))
    assert main(["devices"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == ("no camera found; plug one in and ask again, or name a stream, a video "
                        "file or a folder with --camera")
    assert lines[2] == ("no microphone found; plug one in and ask again, or name a sound file "
                        "with --microphone")
    assert lines[-2:] == ["not looked for:", "  microphones: why"]


def test_a_table(found: Callable[[Devices], None], capsys: pytest.CaptureFixture[str]) -> None:
    found(Devices((Device("0", "Webcam", "V4L2", "/dev/video0"),), (), ()))
    assert main(["devices"]) == 0
    out = capsys.readouterr().out
    cells = [cell.strip() for cell in out.splitlines()[2].split("|")[1:-1]]
    assert cells == ["0", "Webcam", "V4L2", "/dev/video0"]
    assert "not looked for" not in out


def test_this_machine(run_python: Callable[..., CompletedProcess[str]]) -> None:
    done = run_python("-c", RUN, "devices", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    content = json.loads(done.stdout)
    assert set(content) == {"cameras", "microphones", "not_looked_for"}
    for device in (*content["cameras"], *content["microphones"]):
        assert set(device) == {"use", "name", "by", "detail"}
