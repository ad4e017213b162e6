"""A gallery that was cut off, and a disk without room: one line, and nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.edge_runtime.gallery_device import Device


@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_database(anna: Device, share: float) -> None:
    content = anna.gallery.read_bytes()
    cut = content[: int(share * len(content))]
    anna.gallery.write_bytes(cut)
    for command in (("people", "--gallery", anna.gallery), anna.enroll("Ben", 2)):
        message = anna.mistake(*command)
        assert message.startswith(f"{anna.gallery}: expected a gallery, found ")
        assert "copy in its place" in message or "another kind of file" in message
    assert anna.gallery.read_bytes() == cut
    anna.gallery.write_bytes(content)
    anna.check_intact("Anna")


def test_what_is_no_gallery(device: Device, tmp_path: Path) -> None:
    for name, content in (("letter.txt", b"Dear Anna, " * 1000), ("empty.db", b"")):
        device.gallery = tmp_path / name
        device.gallery.write_bytes(content)
        for command in (("people", "--gallery", device.gallery), device.enroll("Ben", 2)):
            assert "expected a gallery, found " in device.mistake(*command)
        assert device.gallery.read_bytes() == content
    assert "found a folder" in device.mistake("people", "--gallery", tmp_path)
    for command in (("people",), ("audit",), ("forget", "Anna")):
        assert "found no file; enroll somebody first" in device.mistake(
            *command, "--gallery", tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_no_more_room_for_files(anna: Device) -> None:
    """The system refuses to let a file grow while somebody is enrolled."""
    for more in (0, 4096, 12_000):
        message = anna.mistake_of_child(*anna.enroll("Ben", 2),
                                        limit_bytes=anna.gallery.stat().st_size // 2 + more)
        assert "make room" in message
        anna.check_intact("Anna")
    anna.run(*anna.enroll("Ben", 2))
    anna.check_intact("Anna", "Ben")


def test_a_full_disk(device: Device, small_disk: Path) -> None:
    device.gallery = small_disk / "gallery.db"
    filler = small_disk / "filler"
    filler.write_bytes(bytes(500 * 1024))
    assert "make room" in device.mistake(*device.enroll("Anna", 1))
    assert [path.name for path in small_disk.iterdir()] == ["filler"]  # nothing half is left
    filler.unlink()
    device.run(*device.enroll("Anna", 1))
    used = device.gallery.stat().st_size
    for free_kib in (0, 4, 40, 48):
        filler.write_bytes(bytes(512 * 1024 - used - free_kib * 1024))
        assert "make room" in device.mistake(*device.enroll("Ben", 2))
        filler.unlink()
        device.check_intact("Anna")
    device.run(*device.enroll("Ben", 2))
    device.check_intact("Anna", "Ben")
