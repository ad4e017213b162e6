"""The device key, wherever it comes from."""

from __future__ import annotations

import pytest

from edge_runtime.doctor.bundles import GALLERY_CHECKS
from edge_runtime.doctor.finding import Finding
from tests.edge_runtime.doctor.provoke_bundles import KEY, write_key
from tests.edge_runtime.doctor.scene import Scene

LOOK = GALLERY_CHECKS[0].look


def only(findings: list[Finding]) -> tuple[str, str]:
    [finding] = findings
    return finding.code, finding.found


def test_nobody_is_enrolled(scene: Scene) -> None:
    assert list(LOOK(scene.machine())) == []


def test_missing(scene: Scene) -> None:
    gallery = scene.folder / "gallery.db"
    gallery.touch()
    code, found = only(list(LOOK(scene.machine(gallery=gallery))))
    assert code == "key-unusable" and "the device key is missing" in found


def test_neither_key_nor_gallery(scene: Scene) -> None:
    machine = scene.machine(gallery=scene.folder / "gallery.db")
    assert list(LOOK(machine)) == []
    code, found = only(list(GALLERY_CHECKS[1].look(machine)))
    assert code == "gallery-unusable" and "found no file" in found


def test_something_else(scene: Scene) -> None:
    file = write_key(scene, content="not a key\n")
    code, found = only(list(LOOK(scene.machine())))
    assert code == "key-unusable" and str(file) in found and "not a key" not in found


@pytest.mark.parametrize(("text", "code"), [(KEY, "key"), ("not a key", "key-unusable")])
def test_from_the_environment(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, text: str, code: str
) -> None:
    monkeypatch.setenv("VISAVOX_DEVICE_KEY", text)
    write_key(scene, 0o644)  # does not count
    found = only(list(LOOK(scene.machine())))
    assert found[0] == code and "$VISAVOX_DEVICE_KEY" in found[1] and text.strip() not in found[1]
